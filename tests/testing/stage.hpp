/// A fault server in virtual time, and what its clients make of it.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "net/world.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/testing/fault_server.hpp"

namespace stage {

using namespace net_test;
using namespace understudy::llm;
using namespace understudy::testing;
using namespace std::chrono_literals;
using SeenEnd = SeenConnection::End;

inline std::string target_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::anthropic_messages: return "/v1/messages";
    case Protocol::openai_chat: return "/v1/chat/completions";
    case Protocol::openai_responses: return "/v1/responses";
  }
  return {};
}

inline HttpRequest ask(Protocol protocol, bool stream = true, const std::string& model = "m-1") {
  Request asked(model);
  asked.messages.emplace_back(Role::user, "Count to ten.");
  asked.max_tokens = 100;
  asked.stream = stream;
  std::string body;
  codec_for(protocol).write_request(asked, body);
  HttpRequest request("POST", target_of(protocol));
  request.with_header("content-type", "application/json").with_body(std::move(body));
  return request;
}

/// Runs `call` while `server` serves, and both to their end.
template <class Call>
void play(World& world, FaultServer& server, Call call, std::uint16_t port = 80) {
  const auto acceptor = world.network->listen(port);
  const auto both = [&]() -> awaitable<void> { co_await race(server.serve(*acceptor), call()); };
  world.time.run(world.context, both());
  CHECK(server.open_connections() == 0);
}

/// One request, given up after `patience`.
inline awaitable<Outcome> one(HttpClient& client, const HttpRequest& request,
                              Clock::duration patience = 60s,
                              const Endpoint& endpoint = http_endpoint()) {
  Outcome outcome;
  const auto body = [&](Scope& scope) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    scope.deadline(patience);
    Recorder observer;
    outcome = co_await fetch(client, endpoint, request, observer);
  };
  co_await with_scope(body);
  co_return outcome;
}

/// One request on a network of its own.
inline Outcome one(FaultServer& server, const HttpRequest& request,
                   Clock::duration patience = 60s) {
  World world;
  Outcome outcome;
  play(world, server,
       [&]() -> awaitable<void> { outcome = co_await one(world.client, request, patience); });
  return outcome;
}

/// The body as an answer, and how it ended.
struct Read {
  Answer answer;
  Ending ending = Ending::cut;
  bool ended = false;
  std::size_t heartbeats = 0;
  std::size_t words = 0;
  std::uint64_t undecodable = 0;
  std::string error;
};

inline Read read(Protocol protocol, const std::string& body, bool stream = true) {
  EventDecoder decoder(protocol, stream ? BodyShape::stream : BodyShape::whole);
  Read read;
  const auto take = [&] {
    while (const auto* event = decoder.next()) {
      read.answer.add(*event);
      read.heartbeats += std::holds_alternative<Heartbeat>(event->body) ? 1 : 0;
      read.words += std::holds_alternative<Text>(event->body) ? 1 : 0;
      if (const auto* error = std::get_if<Error>(&event->body)) {
        read.error = std::string(error->type) + ": " + std::string(error->message);
      }
    }
  };
  decoder.feed(body);
  take();
  decoder.end();
  take();
  read.ending = decoder.ending();
  read.ended = decoder.ended();
  read.undecodable = decoder.undecodable();
  return read;
}

}  // namespace stage
