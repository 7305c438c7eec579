#include "understudy/testing/test_certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace understudy::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long day = 24L * 60 * 60;

void must(bool fine) {
  if (!fine) {
    throw std::runtime_error("certificates for tests cannot be made");
  }
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  must(key != nullptr);
  return key;
}

void extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  must(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself if that is null; without names it is a CA's.
Certificate sign(const Key& key, const char* name, const char* names, X509* issuer,
                 const Key& issuer_key, long serial, long ends) {
  Certificate made(X509_new(), X509_free);
  auto* x = made.get();
  must(x != nullptr);
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -2 * day);
  X509_gmtime_adj(X509_getm_notAfter(x), ends);
  X509_set_pubkey(x, key.get());
  auto* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  auto* signer = issuer == nullptr ? x : issuer;
  X509_set_issuer_name(x, X509_get_subject_name(signer));
  if (names == nullptr) {
    extend(x, signer, NID_basic_constraints, "critical,CA:TRUE");
    extend(x, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(x, signer, NID_subject_alt_name, names);
  }
  must(X509_sign(x, issuer_key.get(), EVP_sha256()) > 0);
  return made;
}

/// What `write(BIO*)` writes.
template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  must(bio != nullptr && write(bio.get()) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(const Certificate& certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}

std::string write_temporary(std::string_view text) {
  auto path = (std::filesystem::temp_directory_path() / "understudy-ca-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  must(file >= 0);
  const auto written = ::write(file, text.data(), text.size());
  must(::close(file) == 0 && written == static_cast<ssize_t>(text.size()));
  return path;
}

}  // namespace

TestCertificates::TestCertificates() {
  const auto ca_key = new_key();
  const auto own_key = new_key();
  const auto root = sign(ca_key, "test CA", nullptr, nullptr, ca_key, 1, day);
  const auto* names = "DNS:api.test,DNS:*.wild.test,DNS:localhost,IP:127.0.0.1";
  const auto leaf = [&](const char* host_names, long serial, long ends) {
    return pem(sign(own_key, "test", host_names, root.get(), ca_key, serial, ends));
  };
  certificates_ = {leaf(names, 2, day), leaf(names, 3, -day), leaf("DNS:other.test", 4, day),
                   pem(sign(own_key, "test", names, nullptr, own_key, 5, day))};
  key_ = pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, own_key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  ca_file_ = write_temporary(pem(root));
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove(ca_file_, ignored);
}

TlsContext TestCertificates::server(Kind kind) const {
  return TlsContext::server_of_pem(certificate(kind), key()).value();
}

}  // namespace understudy::testing
