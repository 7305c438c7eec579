#include "understudy/net/proxy.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace understudy;

namespace {

using Environment = std::map<std::string, std::string>;

NetResult<ProxyRules> rules(const Environment& environment) {
  return ProxyRules::from_environment([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

/// The proxy's host for a URL, or "direct".
std::string way(const NetResult<ProxyRules>& found, const char* url) {
  REQUIRE(found.has_value());
  const auto* proxy = found->find(parse_url(url)->endpoint);
  return proxy == nullptr ? "direct" : proxy->endpoint.host;
}

}  // namespace

TEST_CASE("which variable counts") {
  CHECK(way(rules({}), "https://x.test") == "direct");
  CHECK(way(rules({{"HTTPS_PROXY", "http://p.test:3128"}}), "https://x.test") == "p.test");
  CHECK(way(rules({{"HTTPS_PROXY", "http://p.test:3128"}}), "http://x.test") == "direct");
  CHECK(way(rules({{"HTTP_PROXY", "p.test:3128"}}), "http://x.test") == "p.test");
  CHECK(way(rules({{"HTTP_PROXY", "p.test:3128"}, {"REQUEST_METHOD", "GET"}}), "http://x.test") ==
        "direct");
  CHECK(way(rules({{"http_proxy", "low.test"}, {"HTTP_PROXY", "up.test"}}), "http://x.test") ==
        "low.test");
  CHECK(way(rules({{"ALL_PROXY", "https://all.test"}}), "https://x.test") == "all.test");
  CHECK(way(rules({{"HTTPS_PROXY", ""}}), "https://x.test") == "direct");
}

TEST_CASE("what is reached directly") {
  const auto with = [](const char* no_proxy) {
    return rules({{"ALL_PROXY", "http://p.test"}, {"NO_PROXY", no_proxy}});
  };
  struct Row {
    const char* no_proxy;
    const char* url;
    bool direct;
  };
  const Row rows[] = {
      {"*", "https://x.test", true},
      {"example.com", "https://example.com", true},
      {"example.com", "https://api.example.com", true},
      {".example.com", "https://api.example.com", true},
      {".example.com", "https://example.com", true},
      {"example.com", "https://notexample.com", false},
      {"Example.COM", "https://example.com", true},
      {"a.test, example.com", "https://example.com", true},
      {"example.com:8443", "https://example.com:8443", true},
      {"example.com:8443", "https://example.com", false},
      {"10.0.0.0/8", "https://10.1.2.3", true},
      {"10.0.0.0/8", "https://11.1.2.3", false},
      {"192.0.2.7", "https://192.0.2.7", true},
      {"2001:db8::/32", "https://[2001:db8::5]", true},
      {"[2001:db8::5]:443", "https://[2001:db8::5]", true},
      {"10.0.0.0/99", "https://10.1.2.3", false},
      {":443", "https://x.test", false},
      {"", "http://localhost:11434", true},
      {"", "http://127.0.0.9", true},
      {"", "http://[::1]", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.no_proxy);
    CAPTURE(row.url);
    CHECK((way(with(row.no_proxy), row.url) == "direct") == row.direct);
  }
}

TEST_CASE("a proxy by configuration has no exceptions, and other kinds are refused by name") {
  CHECK(way(ProxyRules::always("http://p.test:3128"), "http://localhost") == "p.test");
  CHECK(way(ProxyRules(), "https://x.test") == "direct");
  const auto socks = ProxyRules::always("socks5://p.test:1080");
  REQUIRE(socks.has_error());
  CHECK(socks.error().code == NetFault::proxy);
  CHECK(socks.error().text.find("SOCKS") != std::string::npos);
  CHECK(rules({{"HTTPS_PROXY", "http://p.test:99999"}}).error().code == NetFault::invalid_url);
}
