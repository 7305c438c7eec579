/// A gateway in front of the providers of a ClientWorld, and a client's side of it.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../../lib/gateway/request_handler.hpp"
#include "../client/client_world.hpp"
#include "understudy/gateway/gateway_stop.hpp"
#include "understudy/gateway/setup.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/net/http_client.hpp"

namespace gateway_test {

using namespace client_test;
using understudy::gateway::GatewayStop;
using understudy::gateway::Records;
using understudy::gateway::RecordsOptions;
using understudy::gateway::Setup;
using understudy::gateway::detail::RequestHandler;

inline const std::string ten = "one two three four five six seven eight nine ten";

/// A provider that speaks Chat.
inline const char* const speaks_chat = R"(
[model]
provider = "first"
default = "big"
[providers.first]
protocol = "openai_chat"
base_url = "http://first.test:8001/v1"
)";

/// A resource that is asked, and a question to be streamed in its words.
struct Path {
  Protocol protocol;
  const char* path;
  const char* body;
};

inline const std::vector<Path>& paths() {
  static const std::vector<Path> all{
      {Protocol::openai_chat, "/v1/chat/completions",
       R"({"model":"any","stream":true,"messages":[{"role":"user","content":"Is it full?"}]})"},
      {Protocol::anthropic_messages, "/v1/messages",
       R"({"model":"any","stream":true,"max_tokens":99,"messages":[{"role":"user","content":"Is it full?"}]})"},
      {Protocol::openai_responses, "/v1/responses",
       R"({"model":"any","stream":true,"input":"Is it full?"})"},
  };
  return all;
}

/// What a client got.
struct Got {
  unsigned status = 0;
  HttpFields headers;
  std::string body;
  Clock::duration head_after{};
  bool broken = false;

  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or("none"));
  }
  bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

/// A gateway in front of the providers of a ClientWorld.
class GatewayWorld : public ClientWorld {
 public:
  /// Runs `use(http)` against the gateway at gateway.localhost:9000.
  template <class Use>
  void serve(const Config& configured, Use use) {
    auto& port = acceptors.emplace_back(network->listen(9000));
    run(configured, [&](Client& client) -> awaitable<void> {
      RequestHandler handler(configured, client, *state, *records);
      running = &handler;
      HttpServer server(Setup::make(configured).value().http,
                        [&](HttpExchange& http) { return handler.answer(http); });
      auto body = [&](Scope& scope) -> awaitable<void> {
        auto listening = [&] { return server.serve(*port); };
        scope.spawn(std::move(listening));
        HttpClient http(co_await asio::this_coro::executor,
                        HttpClientOptions().with_dialer(network).with_resolver(
                            std::make_shared<testing::ScriptedResolver>()));
        co_await use(http);
        http.close();
        scope.cancel(StopReason::shutdown);
      };
      co_await with_scope(std::move(body));
    });
  }

  std::shared_ptr<Records> records = std::make_shared<Records>();
  RequestHandler* running = nullptr;  // within `use`
};

inline awaitable<Got> send(HttpClient& http, HttpRequest request) {
  Got got;
  IgnoreIo ignore;
  const auto began = Clock::now();
  const Endpoint there(Scheme::http, "gateway.localhost", 9000);
  auto response = co_await http.send(there, request, ignore);
  REQUIRE(response.has_value());
  got.head_after = Clock::now() - began;
  got.status = response->status();
  got.headers = response->headers();
  const auto body = co_await response->read_all(1 << 20);
  got.broken = body.has_error();
  if (body) {
    got.body = *body;
  }
  co_return got;
}

inline awaitable<Got> post(HttpClient& http, const Path& path) {
  HttpRequest request("POST", path.path);
  request.with_header("content-type", "application/json").with_body(path.body);
  co_return co_await send(http, std::move(request));
}

inline awaitable<Got> get(HttpClient& http, std::string target) {
  co_return co_await send(http, HttpRequest("GET", std::move(target)));
}

inline awaitable<unsigned> status_at(HttpClient& http, std::string target) {
  const auto got = co_await get(http, std::move(target));
  co_return got.status;
}

/// A body as the client's protocol has it.
struct Read {
  Answer answer;
  Ending ending = Ending::cut;
};

inline Read read(const Got& got, Protocol protocol, BodyShape shape = BodyShape::stream) {
  Read read;
  EventDecoder decoder(protocol, shape);
  decoder.feed(got.body);
  while (const Event* event = decoder.next()) {
    read.answer.add(*event);
  }
  decoder.end();
  while (const Event* event = decoder.next()) {
    read.answer.add(*event);
  }
  read.ending = decoder.ending();
  return read;
}

}  // namespace gateway_test
