#include "net/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace net_test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long day = 24 * 60 * 60;

void must(bool fine) {
  if (!fine) {
    throw std::runtime_error("certificates for tests");
  }
}

Key new_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

void extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  must(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself if that is null.
Certificate sign(const Key& key, const char* name, const char* names, X509* issuer,
                 const Key& issuer_key, long ends) {
  static long serial = 0;
  Certificate made(X509_new(), X509_free);
  auto* x = made.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
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

template <class Write>
void write_file(const std::string& path, Write write) {
  auto* file = std::fopen(path.c_str(), "w");
  must(file != nullptr);
  must(write(file) == 1);
  must(std::fclose(file) == 0);
}

void write_certificate(const std::string& path, const Certificate& certificate) {
  write_file(path, [&](FILE* file) { return PEM_write_X509(file, certificate.get()); });
}

}  // namespace

Certificates::Certificates() {
  auto folder = (std::filesystem::temp_directory_path() / "understudy-XXXXXX").string();
  must(::mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  const auto ca_key = new_key();
  const auto own_key = new_key();
  const auto root = sign(ca_key, "test CA", nullptr, nullptr, ca_key, day);
  const auto leaf = [&](const char* names, long ends) {
    return sign(own_key, "test", names, root.get(), ca_key, ends);
  };
  write_certificate(ca(), root);
  write_certificate(good(), leaf("DNS:api.test,DNS:*.wild.test,IP:127.0.0.1", day));
  write_certificate(expired(), leaf("DNS:api.test", -day));
  write_certificate(wrong_host(), leaf("DNS:other.test", day));
  write_certificate(self_signed(), sign(own_key, "test", "DNS:api.test", nullptr, own_key, day));
  write_file(key(), [&](FILE* file) {
    return PEM_write_PrivateKey(file, own_key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

}  // namespace net_test
