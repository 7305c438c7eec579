#include "understudy/gateway/certificate.hpp"

#include <doctest/doctest.h>

#include "understudy/testing/test_certificates.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using understudy::gateway::certificate_expiry;
using understudy::gateway::certificate_warning;
using understudy::testing::TestCertificates;

namespace {

const auto now = std::chrono::sys_days(std::chrono::year(2026) / 12 / 1) + 12h;

std::string warning_at(std::chrono::seconds ahead) {
  return certificate_warning(std::chrono::sys_seconds(now) + ahead, now).value_or("none");
}

}  // namespace

TEST_CASE("the end of a server's certificate, as OpenSSL has read it") {
  const TestCertificates certificates;
  const auto today = std::chrono::system_clock::now();
  const auto expiry = [&](TestCertificates::Kind kind) {
    return certificate_expiry(HttpServerOptions().with_tls(certificates.server(kind)));
  };
  CHECK_FALSE(certificate_expiry(HttpServerOptions()));
  const auto good = expiry(TestCertificates::Kind::good);
  REQUIRE(good);
  CHECK(*good > today);
  const auto expired = expiry(TestCertificates::Kind::expired);
  REQUIRE(expired);
  CHECK(*expired < today);
  CHECK(*expired > today - 48h);
  CHECK(certificate_warning(expired, today));
}

TEST_CASE("of those that are sent with it the earliest counts") {
  const TestCertificates certificates;
  const auto chain = certificates.certificate(TestCertificates::Kind::good) +
                     certificates.certificate(TestCertificates::Kind::expired);
  auto context = TlsContext::server_of_pem(chain, certificates.key());
  REQUIRE(context.has_value());
  const auto expiry = certificate_expiry(HttpServerOptions().with_tls(std::move(*context)));
  REQUIRE(expiry);
  CHECK(*expiry < std::chrono::system_clock::now());
}

TEST_CASE("a warning for what has expired or soon will, which says what to do") {
  CHECK_FALSE(certificate_warning(std::nullopt, now));
  CHECK(warning_at(24h * 14) == "none");
  CHECK(warning_at(24h * 365) == "none");
  CHECK(warning_at(24h * 14 - 1s) ==
        "server.tls: the certificate, or one that is sent with it, expires on 2026-12-15, in 13 "
        "days; renew the files, and reload (SIGHUP)");
  CHECK(warning_at(1s).find("expires on 2026-12-01, in 0 days") != std::string::npos);
  CHECK(warning_at(0s).find("has expired on 2026-12-01; clients refuse it") != std::string::npos);
  CHECK(warning_at(-24h * 400).find("has expired on 2025-10-27") != std::string::npos);
}
