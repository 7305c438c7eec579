#include "../../lib/gateway/browser_guard.hpp"

#include <doctest/doctest.h>

#include "gateway_world.hpp"

using namespace gateway_test;
using understudy::gateway::detail::BrowserGuard;

namespace {

using Fields = std::vector<std::pair<const char*, const char*>>;

HttpHead head_of(const char* method, const char* authority, const Fields& fields) {
  HttpHead head;
  head.method = method;
  head.authority = authority;
  for (const auto& [name, value] : fields) {
    head.headers.add(name, value);
  }
  return head;
}

/// Zero: not refused.
unsigned status(const ServerConfig& server, const HttpHead& head) {
  const BrowserGuard guard(server);
  const auto refused = guard.refused(head, Protocol::openai_chat);
  return refused ? refused->status : 0;
}

const Fields json_type{{"content-type", "application/json"}};

/// What a page or a program may send to a gateway without keys, and whether it is answered.
struct Sent {
  const char* what;
  const char* host;
  Fields fields;
  unsigned status;
};

const std::vector<Sent>& sent_without_keys() {
  static const std::vector<Sent> all{
      {"curl", "127.0.0.1:8080", json_type, 0},
      {"an SDK", "localhost:8080", {{"content-type", "application/json; charset=utf-8"}}, 0},
      {"a vendor's JSON", "[::1]:8080", {{"content-type", "application/vnd.a+json"}}, 0},
      {"a name of this machine", "api.localhost", json_type, 0},
      {"from a container", "host.docker.internal:8080", json_type, 0},
      {"HTTP/1.0 without a host", "", json_type, 0},
      {"all of 127/8", "127.9.8.7", json_type, 0},
      {"a page that rebinds its name", "evil.example", json_type, 403},
      {"the same, with a port", "evil.example:8080", json_type, 403},
      {"a name that only looks like this machine", "localhost.evil.example", json_type, 403},
      {"an address that browsers take for this machine", "0.0.0.0:8080", json_type, 403},
      {"another address", "192.168.1.7", json_type, 403},
      {"a broken one", "[::1", json_type, 0},
      {"a page of this machine",
       "localhost",
       {{"content-type", "application/json"}, {"origin", "http://localhost:3000"}},
       0},
      {"its address", "localhost", {json_type[0], {"origin", "https://127.0.0.1"}}, 0},
      {"its address, IPv6", "localhost", {json_type[0], {"origin", "http://[::1]:5173"}}, 0},
      {"Tauri on Windows", "localhost", {json_type[0], {"origin", "http://tauri.localhost"}}, 0},
      {"Tauri", "localhost", {json_type[0], {"origin", "tauri://localhost"}}, 0},
      {"Electron",
       "localhost",
       {json_type[0], {"origin", "app://obsidian.md"}, {"sec-fetch-site", "cross-site"}},
       0},
      {"VS Code's webview",
       "localhost",
       {json_type[0], {"origin", "vscode-webview://1ab"}, {"sec-fetch-site", "cross-site"}},
       0},
      {"VS Code", "localhost", {json_type[0], {"origin", "vscode-file://vscode-app"}}, 0},
      {"a page elsewhere", "localhost", {json_type[0], {"origin", "https://evil.example"}}, 403},
      {"its sandboxed frame", "localhost", {json_type[0], {"origin", "null"}}, 403},
      {"a look-alike",
       "localhost",
       {json_type[0], {"origin", "http://localhost.evil.example"}},
       403},
      {"another look-alike",
       "localhost",
       {json_type[0], {"origin", "http://evil.example/localhost"}},
       403},
      {"a scheme's look-alike", "localhost", {json_type[0], {"origin", "http://app://"}}, 403},
      {"a decoy before it",
       "localhost",
       {json_type[0], {"origin", "http://localhost"}, {"origin", "https://evil.example"}},
       403},
      {"an image on a page", "localhost", {{"sec-fetch-site", "cross-site"}}, 403},
      {"typed into the browser", "localhost", {json_type[0], {"sec-fetch-site", "none"}}, 0},
      {"a page's text/plain", "localhost", {{"content-type", "text/plain;charset=UTF-8"}}, 415},
      {"a page's blob without a type", "localhost", {}, 415},
      {"an empty type", "localhost", {{"content-type", ""}}, 415},
      {"a form", "localhost", {{"content-type", "application/x-www-form-urlencoded"}}, 415},
      {"JSON in disguise", "localhost", {{"content-type", "text/plain; application/json"}}, 415},
      {"a program's file", "localhost", {{"content-type", "multipart/form-data; boundary=x"}}, 0},
      {"a page's file",
       "localhost",
       {{"content-type", "multipart/form-data; boundary=x"}, {"origin", "http://localhost:3000"}},
       415},
      {"a browser's file",
       "localhost",
       {{"content-type", "multipart/form-data; boundary=x"}, {"sec-fetch-site", "same-origin"}},
       415},
  };
  return all;
}

}  // namespace

TEST_CASE("without keys: what a web page sends is refused, what programs send is not") {
  for (const auto& sent : sent_without_keys()) {
    CAPTURE(sent.what);
    CHECK(status(ServerConfig(), head_of("POST", sent.host, sent.fields)) == sent.status);
    if (sent.status != 415) {  // a GET has no body
      CHECK(status(ServerConfig(), head_of("GET", sent.host, sent.fields)) == sent.status);
    }
  }
}

TEST_CASE("the configured hosts and origins are accepted") {
  ServerConfig server;
  server.hosts = {"Gateway.lan", "*.example.net"};
  server.origins = {"https://chat.example", "extension://*"};
  CHECK(status(server, head_of("POST", "gateway.LAN:8080", json_type)) == 0);
  CHECK(status(server, head_of("POST", "a.b.example.net", json_type)) == 0);
  CHECK(status(server, head_of("POST", "example.net", json_type)) == 403);
  CHECK(status(server, head_of("POST", "evilexample.net", json_type)) == 403);
  const auto from = [&](const char* origin) {
    return status(server, head_of("POST", "localhost", {json_type[0], {"origin", origin}}));
  };
  CHECK(from("https://chat.example") == 0);
  CHECK(from("extension://abc") == 0);
  CHECK(from("https://chat.example:8443") == 403);
  CHECK(from("https://chat.example.evil") == 403);
}

TEST_CASE("with keys: any host and any body, but a page only if it is listed") {
  ServerConfig server;
  server.keys.emplace_back("a-key");
  server.origins = {"https://chat.example"};
  CHECK(status(server, head_of("POST", "gateway.example", {{"content-type", "text/plain"}})) == 0);
  const auto from = [&](const char* origin) {
    return status(server, head_of("GET", "gateway.example", {{"origin", origin}}));
  };
  CHECK(from("https://chat.example") == 0);
  CHECK(from("http://localhost:3000") == 403);
  CHECK(from("null") == 403);
}

TEST_CASE("open to other machines without keys: names are only checked if some are listed") {
  ServerConfig server;
  server.host = "0.0.0.0";
  CHECK(status(server, head_of("POST", "gateway.lan", json_type)) == 0);
  CHECK(status(server, head_of("POST", "gateway.lan", {{"content-type", "text/plain"}})) == 415);
  CHECK(status(server, head_of("POST", "x", {json_type[0], {"origin", "https://evil.example"}})) ==
        403);
  server.hosts = {"gateway.lan"};
  CHECK(status(server, head_of("POST", "gateway.lan", json_type)) == 0);
  CHECK(status(server, head_of("POST", "evil.example", json_type)) == 403);
}

TEST_CASE("a page on another origin can neither spend the keys nor read the gateway") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (const auto& path : paths()) {
      for (const char* const type : {"text/plain", "application/json"}) {
        HttpRequest request("POST", path.path);
        request.with_header("content-type", type).with_header("origin", "https://evil.example");
        request.with_body(path.body);
        const auto got = co_await send(http, std::move(request));
        CHECK(got.status == 403);
        CHECK(got.has("`https://evil.example`"));
        CHECK(got.has("`server.origins`"));
        CHECK(got.header("access-control-allow-origin") == "none");
      }
      HttpRequest form("POST", path.path);
      form.with_header("content-type", "text/plain").with_body(path.body);
      const auto got = co_await send(http, std::move(form));
      CHECK(got.status == 415);
      CHECK(got.has("`content-type: application/json`"));
    }
    CHECK(lead.requests() == 0);
    for (const char* const target : {"/status", "/metrics", "/v1/models"}) {
      HttpRequest image("GET", target);
      image.with_header("sec-fetch-site", "cross-site");
      const auto got = co_await send(http, std::move(image));
      CHECK(got.status == 403);
      HttpRequest rebound("GET", "http://evil.example" + std::string(target));
      const auto other = co_await send(http, std::move(rebound));
      CHECK(other.status == 403);
      CHECK(other.has("`evil.example`"));
      CHECK(other.has("`server.hosts`"));
    }
  });
}

TEST_CASE("a page that may use the gateway asks first, and can read what it is answered") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto config = world.config(
      report_file + "[server]\nkeys = [\"k\"]\norigins = [\"https://chat.example\"]\n");
  world.serve(config, [&](HttpClient& http) -> awaitable<void> {
    HttpRequest preflight("OPTIONS", paths()[0].path);
    preflight.with_header("origin", "https://chat.example")
        .with_header("access-control-request-method", "POST")
        .with_header("access-control-request-headers", "authorization,content-type");
    const auto may = co_await send(http, std::move(preflight));
    CHECK(may.status == 200);
    CHECK(may.header("access-control-allow-origin") == "https://chat.example");
    CHECK(may.header("access-control-allow-headers") == "authorization,content-type");
    HttpRequest question("POST", paths()[0].path);
    question.with_header("origin", "https://chat.example")
        .with_header("authorization", "Bearer k")
        .with_body(paths()[0].body);
    const auto got = co_await send(http, std::move(question));
    CHECK(got.status == 200);
    CHECK(got.header("access-control-allow-origin") == "https://chat.example");
    HttpRequest elsewhere("OPTIONS", paths()[0].path);
    elsewhere.with_header("origin", "https://evil.example")
        .with_header("access-control-request-method", "POST");
    const auto no = co_await send(http, std::move(elsewhere));
    CHECK(no.status == 403);
    CHECK(no.header("access-control-allow-origin") == "none");
  });
}
