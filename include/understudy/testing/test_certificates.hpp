/// A certificate authority for tests with valid and invalid certificates, generated in the process at each run. Only
/// the CA's certificate is written to disk, because a client needs it as a file; it is removed at the end.
///
///     const TestCertificates certificates;                  // takes a few milliseconds: create it once
///     HttpClientOptions().with_ca_file(certificates.ca_file());
///     auto server = certificates.server(TestCertificates::Kind::expired);
#pragma once

#include <array>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/tls.hpp"

namespace understudy::testing {

/// See the top of the file. Threads: any, once constructed.
class UNDERSTUDY_API TestCertificates {
 public:
  /// What is wrong with the certificate, if anything.
  enum class Kind : unsigned char {
    good,         ///< for api.test, *.wild.test, localhost and 127.0.0.1
    expired,      ///< for the same, until yesterday
    wrong_host,   ///< for other.test
    self_signed,  ///< for the same names, but not signed by the CA
  };

  /// Throws runtime_error if the file cannot be created, or if OpenSSL fails.
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  /// The TLS context of a server with that certificate.
  TlsContext server(Kind kind) const;

  /// The path of a PEM file, which exists until this object is destroyed.
  const std::string& ca_file() const noexcept { return ca_file_; }

  /// PEM: the certificate, and the key, which all certificates share.
  const std::string& certificate(Kind kind) const noexcept {
    return certificates_[static_cast<std::size_t>(kind)];
  }
  /// The private key of all certificates, as PEM.
  const std::string& key() const noexcept { return key_; }

 private:
  std::array<std::string, 4> certificates_;
  std::string key_;
  std::string ca_file_;
};

}  // namespace understudy::testing
