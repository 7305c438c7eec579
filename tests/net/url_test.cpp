#include "understudy/net/url.hpp"

#include <doctest/doctest.h>

using namespace understudy;

TEST_CASE("the parts of a provider's base URL") {
  struct Row {
    const char* url;
    Endpoint endpoint;
    const char* path;
    const char* authority;
  };
  const Row rows[] = {
      {"https://api.example.com/v1",
       {Scheme::https, "api.example.com", 443},
       "/v1",
       "api.example.com"},
      {"http://localhost:11434", {Scheme::http, "localhost", 11434}, "", "localhost:11434"},
      {"HTTPS://API.Example.COM:8443/V1/x?y=Z#f",
       {Scheme::https, "api.example.com", 8443},
       "/V1/x?y=Z",
       "api.example.com:8443"},
      {"http://[::1]:8080/", {Scheme::http, "::1", 8080}, "/", "[::1]:8080"},
      {"https://[2001:db8::1]", {Scheme::https, "2001:db8::1", 443}, "", "[2001:db8::1]"},
      {"http://a_b.test?q", {Scheme::http, "a_b.test", 80}, "/?q", "a_b.test"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.url);
    const auto url = parse_url(row.url);
    REQUIRE(url.has_value());
    CHECK(url->endpoint == row.endpoint);
    CHECK(url->path == row.path);
    CHECK(authority(url->endpoint) == row.authority);
  }
  CHECK(host_and_port(Endpoint(Scheme::https, "::1", 443)) == "[::1]:443");
}

TEST_CASE("user and password are decoded, and stay out of the endpoint") {
  const auto url = parse_url("http://me%40home:p%3Aw@proxy.test:3128");
  REQUIRE(url.has_value());
  CHECK(url->user_info == "me@home:p:w");
  CHECK(url->endpoint == Endpoint(Scheme::http, "proxy.test", 3128));
}

TEST_CASE("percent-decoded") {
  CHECK(percent_decoded("a%2Fb%2fc%20") == "a/b/c ");
  CHECK(percent_decoded("plain+") == "plain+");
  CHECK(percent_decoded("") == "");
  for (const auto* wrong : {"%", "a%4", "%zz", "%4x"}) {
    CHECK_FALSE(percent_decoded(wrong));
  }
}

TEST_CASE("what is not a URL is rejected") {
  for (const auto* garbage :
       {"", "api.example.com", "ftp://x.test", "https://", "https:///v1", "https://x.test:0",
        "https://x.test:65536", "https://x.test:", "https://x.test:80a", "https://x test",
        "https://x.test/\r\nX: y", "https://[::1", "https://[]", "https://[zz]", "https://[::1]x",
        "https://a%zz@x.test", "https://a%4@x.test", "https://x/\x7f",
        "https://ex\xc3\xa4mple.test"}) {
    CAPTURE(garbage);
    const auto url = parse_url(garbage);
    REQUIRE(url.has_error());
    CHECK(url.error().code == NetFault::invalid_url);
    CHECK(!url.error().text.empty());
  }
  CHECK(parse_url("http://x.test/" + std::string(9000, 'a')).has_error());
  CHECK(parse_url("http://" + std::string(300, 'a')).has_error());
}
