/// A certificate authority for tests, and what it has signed, good and bad: made in the process, new
/// at each run. On disk there is nothing but the CA's certificate, which a client needs as a file, and
/// that is removed at the end.
///
///     const TestCertificates certificates;                  // some milliseconds: make it once
///     HttpClientOptions().with_ca_file(certificates.ca_file());
///     auto server = certificates.server(TestCertificates::Kind::expired);
#pragma once

#include <array>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/tls.hpp"

namespace understudy::testing {

/// See the top of the file. Threads: any, once it is made.
class UNDERSTUDY_API TestCertificates {
 public:
  enum class Kind : unsigned char {
    good,         ///< for api.test, *.wild.test, localhost and 127.0.0.1
    expired,      ///< for the same, until yesterday
    wrong_host,   ///< for other.test
    self_signed,  ///< as good, but by nobody's CA
  };

  /// Throws runtime_error when there is no place for the file, and when OpenSSL fails.
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  /// What a server needs to show that certificate.
  TlsContext server(Kind kind) const;

  /// The path of a PEM file, there until this object's end.
  const std::string& ca_file() const noexcept { return ca_file_; }

  /// PEM: the certificate, and the key, which all of them share.
  const std::string& certificate(Kind kind) const noexcept {
    return certificates_[static_cast<std::size_t>(kind)];
  }
  const std::string& key() const noexcept { return key_; }

 private:
  std::array<std::string, 4> certificates_;
  std::string key_;
  std::string ca_file_;
};

}  // namespace understudy::testing
