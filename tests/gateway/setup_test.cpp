#include "understudy/gateway/setup.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using understudy::gateway::Setup;

TEST_CASE("a setup has the limits of its configuration") {
  Config config;
  config.server.max_body = 1000;
  config.server.max_connections = 7;
  config.server.idle = std::chrono::seconds(3);
  const auto setup = Setup::make(config);
  REQUIRE(setup.has_value());
  CHECK(setup->http.max_body == 1000);
  CHECK(setup->http.max_connections == 7);
  CHECK(setup->http.idle == std::chrono::seconds(3));
  CHECK_FALSE(setup->http.tls);
}

TEST_CASE("a setup whose certificate cannot be read: an error that names the setting") {
  Config config;
  config.file = "gateway.toml";
  config.server.tls.emplace();
  config.server.tls->certificate_file = "/nowhere/certificate.pem";
  config.server.tls->key_file = "/nowhere/key.pem";
  const auto setup = Setup::make(config);
  REQUIRE(setup.has_error());
  CHECK(setup.error().file == "gateway.toml");
  REQUIRE(setup.error().errors.size() == 1);
  CHECK(setup.error().errors.front().what.starts_with("server.tls: "));
}
