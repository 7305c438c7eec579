#include "understudy/gateway/certificate.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>

namespace understudy::gateway {
namespace {

using std::chrono::sys_seconds;

sys_seconds end_of(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) {
    return sys_seconds();  // a date that cannot be read is not a valid one
  }
  return sys_seconds(std::chrono::seconds(timegm(&parts)));
}

/// "2026-12-05", in UTC.
std::string date_of(sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::string text(16, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts));
  return text;
}

}  // namespace

std::optional<sys_seconds> certificate_expiry(const HttpServerOptions& server) {
  auto* const context = server.tls ? server.tls->native() : nullptr;
  const auto* const own = context == nullptr ? nullptr : SSL_CTX_get0_certificate(context);
  if (own == nullptr) {
    return std::nullopt;
  }
  auto earliest = end_of(own);
  STACK_OF(X509)* chain = nullptr;
  if (SSL_CTX_ctrl(context, SSL_CTRL_GET_CHAIN_CERTS, 0, static_cast<void*>(&chain)) == 1 &&
      chain != nullptr) {
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      earliest = std::min(earliest, end_of(sk_X509_value(chain, i)));
    }
  }
  return earliest;
}

std::optional<std::string> certificate_warning(std::optional<sys_seconds> expiry,
                                               std::chrono::system_clock::time_point now) {
  if (!expiry || *expiry >= now + expires_soon) {
    return std::nullopt;
  }
  const bool over = *expiry <= now;
  const auto days = std::chrono::floor<std::chrono::days>(*expiry - now).count();
  return "server.tls: the certificate, or one that is sent with it, " +
         std::string(over ? "has expired on " : "expires on ") + date_of(*expiry) +
         (over ? "; clients refuse it" : ", in " + std::to_string(days) + " days") +
         "; renew the files, and reload (SIGHUP)";
}

}  // namespace understudy::gateway
