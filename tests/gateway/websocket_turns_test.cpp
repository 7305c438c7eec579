#include "../../lib/gateway/websocket_turns.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

namespace websocket_turns_test {

using understudy::gateway::detail::websocket_error;
using understudy::gateway::detail::WebSocketTurns;
using Ask = WebSocketTurns::Ask;
using Reply = WebSocketTurns::Reply;
using Refusal = WebSocketTurns::Refusal;

namespace {

std::string body(WebSocketTurns& turns, std::string_view message) {
  const auto turn = turns.read(message, "resp_own", 1'790'000'000);
  const auto* const ask = std::get_if<Ask>(&turn);
  return ask == nullptr ? "" : ask->body;
}

std::string code(WebSocketTurns& turns, std::string_view message) {
  const auto turn = turns.read(message, "resp_own", 1'790'000'000);
  const auto* const refused = std::get_if<Refusal>(&turn);
  return refused == nullptr ? "" : refused->code;
}

const std::string completed =
    R"({"type":"response.completed","response":{"id":"resp_1","output":[{"type":"message","id":"m1"}]}})";

}  // namespace

TEST_CASE("a request is the body of a POST, without what only a connection has") {
  WebSocketTurns turns(1000);
  CHECK(body(turns,
             R"({"type":"response.create","model":"m","input":[{"a":1}],"background":false})") ==
        R"({"model":"m","input":[{"a":1}],"stream":true})");
  CHECK(body(turns, R"({"type":"response.create","response":{"model":"m","input":"Hi"}})") ==
        R"({"model":"m","input":[{"type":"message","role":"user","content":"Hi"}],"stream":true})");
}

TEST_CASE("a request that goes on with the last response has its whole input") {
  WebSocketTurns turns(1000);
  body(turns, R"({"type":"response.create","model":"m","input":[{"a":1}]})");
  turns.event(R"({"type":"response.output_text.delta","delta":"x"})");
  turns.event(completed);
  CHECK(
      body(
          turns,
          R"({"type":"response.create","model":"m","previous_response_id":"resp_1","input":[{"b":2}]})") ==
      R"({"model":"m","input":[{"a":1},{"type":"message","id":"m1"},{"b":2}],"stream":true})");
  turns.event(R"({"type":"response.completed","response":{"id":"resp_2","output":[{"c":3}]}})");
  CHECK(
      body(
          turns,
          R"({"type":"response.create","model":"m","previous_response_id":"resp_2","input":[]})") ==
      R"({"model":"m","input":[{"a":1},{"type":"message","id":"m1"},{"b":2},{"c":3}],"stream":true})");
}

TEST_CASE("a response that continues another says which, whatever its member knows") {
  WebSocketTurns turns(1000);
  body(turns, R"({"type":"response.create","model":"m","input":[]})");
  CHECK_FALSE(turns.event(R"({"type":"response.created","response":{"id":"resp_1"}})"));
  turns.event(completed);
  body(turns,
       R"({"type":"response.create","model":"m","previous_response_id":"resp_1","input":[]})");
  CHECK(turns.event(
            R"({"type":"response.created","response":{"id":"r","previous_response_id":null}})") ==
        R"({"type":"response.created","response":{"id":"r","previous_response_id":"resp_1"}})");
  CHECK_FALSE(turns.event(R"({"type":"response.output_text.delta","delta":"x"})"));
  const auto last =
      turns.event(R"({"type":"response.completed","response":{"id":"resp_2","output":[]}})");
  CHECK(last.value_or("").find(R"("previous_response_id":"resp_1")") != std::string::npos);
  body(turns, R"({"type":"response.create","model":"m","input":[]})");
  CHECK_FALSE(turns.event(R"({"type":"response.created","response":{"id":"resp_3"}})"));
}

TEST_CASE("another response is not found, nor one that was followed by a failure, or is too long") {
  const std::string next =
      R"({"type":"response.create","model":"m","previous_response_id":"resp_1","input":[]})";
  WebSocketTurns turns(1000);
  CHECK(code(turns, next) == "previous_response_not_found");
  body(turns, R"({"type":"response.create","model":"m","input":[]})");
  turns.event(completed);
  body(turns, next);
  turns.event(R"({"type":"response.failed","response":{"id":"resp_2"}})");
  CHECK(code(turns, next) == "previous_response_not_found");
  WebSocketTurns small(10);
  body(small, R"({"type":"response.create","model":"m","input":[{"a":"a long question"}]})");
  small.event(completed);
  CHECK(code(small, next) == "previous_response_not_found");
}

TEST_CASE("a warm-up is answered at once, and goes on") {
  WebSocketTurns turns(1000);
  const auto turn = turns.read(
      R"({"type":"response.create","model":"m","generate":false,"instructions":"i","input":[{"a":1}]})",
      "resp_own", 1'790'000'000);
  const auto* const reply = std::get_if<Reply>(&turn);
  REQUIRE(reply != nullptr);
  REQUIRE(reply->events.size() == 2);
  CHECK(reply->events[0].starts_with(R"({"type":"response.created","sequence_number":0,)"));
  CHECK(reply->events[1].find(R"("id":"resp_own")") != std::string::npos);
  CHECK(
      body(
          turns,
          R"({"type":"response.create","model":"m","previous_response_id":"resp_own","input":[{"b":2}]})") ==
      R"({"model":"m","input":[{"a":1},{"b":2}],"stream":true})");
}

TEST_CASE("what is not a request is refused by name") {
  WebSocketTurns turns(1000);
  for (const auto* message : {"", "[]", "{", "{}", R"({"type":1})", R"({"type":"response.steer"})",
                              R"({"type":"response.create","stream_id":"a","input":[]})"}) {
    CAPTURE(message);
    CHECK(code(turns, message) == "invalid_request_error");
  }
  CHECK(websocket_error(429, R"({"code":"c"})") ==
        R"({"type":"error","status":429,"error":{"code":"c"}})");
  CHECK(websocket_error(500, "") == R"({"type":"error","status":500,"error":{}})");
}

}  // namespace websocket_turns_test
