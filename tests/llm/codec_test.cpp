#include "understudy/llm/codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace codec_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;
using stream_fixtures::fixture;

namespace {

/// What must survive: everything that the neutral form has a word for.
std::vector<std::string> meant(const std::vector<std::string>& events) {
  std::vector<std::string> kept;
  for (const auto& event : events) {
    if (!event.starts_with("other")) {
      kept.push_back(event);
    }
  }
  return kept;
}

std::string encoded(Protocol protocol, std::string_view bytes, Protocol into) {
  const auto encoder = codec_for(into).encoder(Request());
  EventDecoder decoder(protocol);
  decoder.feed(bytes);
  std::string out;
  for (const bool more : {true, false}) {
    while (const Event* event = decoder.next()) {
      encoder->write(*event, out);
    }
    if (more) {
      decoder.end();
    }
  }
  return out;
}

}  // namespace

TEST_CASE("encoding and decoding again is the identity on every event") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      CHECK(meant(decode(protocol, {encoded(protocol, bytes, protocol)}).events) ==
            meant(decode(protocol, {bytes}).events));
    }
  }
}

TEST_CASE("an answer reads the same in another protocol") {
  const auto objects =
      [](std::vector<std::string> all) {  // Chat has one where Anthropic streams nothing
        std::replace(all.begin(), all.end(), std::string(), std::string("{}"));
        return all;
      };
  for (const auto from : protocols) {
    for (const auto into : protocols) {
      for (const auto& name : stream_fixtures::fixtures_of(from)) {
        CAPTURE(name);
        const auto bytes = fixture(name);
        const auto wanted = decode(from, {bytes});
        const auto got = decode(into, {encoded(from, bytes, into)});
        CHECK(got.text == wanted.text);
        CHECK(got.reasoning == wanted.reasoning);
        CHECK(objects(got.arguments) == objects(wanted.arguments));
        CHECK(got.ending == wanted.ending);
        CHECK(got.heartbeats == wanted.heartbeats);
        CHECK(got.undecodable == 0);
      }
    }
  }
}

TEST_CASE("a whole answer says what the stream said") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      const auto wanted = decode(protocol, {bytes});
      if (wanted.ending != Ending::complete) {
        continue;
      }
      EventDecoder decoder(protocol);
      decoder.feed(bytes);
      Answer answer;
      while (const Event* event = decoder.next()) {
        answer.add(*event);
      }
      std::string body;
      codec_for(protocol).write_answer(answer, Request(), body);
      const auto got = decode(protocol, {body.substr(0, 10), body.substr(10)}, BodyShape::whole);
      CHECK(got.text == wanted.text);
      CHECK(got.reasoning == wanted.reasoning);
      CHECK(got.native_finish == wanted.native_finish);
      CHECK(got.ending == Ending::complete);
      CHECK(got.events.back() == "end");
      CHECK(got.arguments.size() == wanted.arguments.size());
    }
  }
}

TEST_CASE("same protocol on both sides: the bytes pass whole but for the model's name") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      EventDecoder decoder(protocol);
      decoder.feed(bytes);
      std::string same;
      std::string renamed;
      std::string_view model;
      while (const Event* event = decoder.next()) {
        same += event->raw;
        forward(*event, "mine \"x\"", renamed);
        if (const auto* start = std::get_if<Start>(&event->body)) {
          model = start->model;
        }
      }
      CHECK(bytes.starts_with(same));
      CHECK(bytes.find("\n\n", same.size()) == std::string::npos);  // nothing but what was cut off
      REQUIRE_FALSE(model.empty());
      CHECK(renamed.find("\"" + std::string(model) + "\"") == std::string::npos);
      CHECK(renamed.find(R"("model":"mine \"x\"")") != std::string::npos);
      CHECK(meant(decode(protocol, {renamed}).events).size() ==
            meant(decode(protocol, {bytes}).events).size());
    }
  }
}

/// What a client makes of it.
Answer heard(Protocol protocol, const std::string& bytes) {
  EventDecoder decoder(protocol);
  decoder.feed(bytes);
  Answer answer;
  while (const Event* event = decoder.next()) {
    answer.add(*event);
  }
  return answer;
}

TEST_CASE("an encoder that has followed goes on where the bytes that were forwarded left off") {
  for (const auto protocol : protocols) {
    for (const auto& name : stream_fixtures::fixtures_of(protocol)) {
      CAPTURE(name);
      const auto bytes = fixture(name);
      const auto wanted = heard(protocol, bytes);
      EventDecoder decoder(protocol);
      decoder.feed(bytes);
      std::vector<Event> events;
      while (const Event* event = decoder.next()) {
        events.push_back(*event);
      }
      for (std::size_t forwarded = 1; forwarded < events.size(); ++forwarded) {
        CAPTURE(forwarded);
        const auto encoder = codec_for(protocol).encoder(Request());
        std::string said;
        for (std::size_t i = 0; i < events.size(); ++i) {
          if (i < forwarded) {
            said += events[i].raw;
            encoder->follow(events[i]);
          } else {
            encoder->write(events[i], said);
          }
        }
        const auto answer = heard(protocol, said);
        CHECK(answer.text() == wanted.text());
        CHECK(answer.finish == wanted.finish);
        CHECK(answer.id == wanted.id);
      }
    }
  }
}

TEST_CASE("error bodies are read and written in every form") {
  struct Case {
    std::string_view body;
    std::string_view type;
    std::string_view code;
    std::string_view message;
  };
  const Case cases[] = {
      {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
       "overloaded_error", "", "Overloaded"},
      {R"({"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}})",
       "rate_limit_error", "enforced_spend_limit_reached", "m"},
      {R"({"error":{"message":"m \u00e9","type":"invalid_request_error","param":null,"code":"c"}})",
       "invalid_request_error", "c", "m \xC3\xA9"},
      {R"({"error":{"message":"m","code":429,"metadata":{"message":"inner"}}})", "", "429", "m"},
      {R"({"error":"model not found"})", "", "", "model not found"},
      {R"({"object":"error","message":"m","type":"t","code":"3505"})", "t", "3505", "m"},
      {R"({"detail":"Unauthorized"})", "", "", "Unauthorized"},
      {R"({"detail":[{"loc":["body"],"msg":"field required","type":"missing"}]})", "", "",
       "field required"},
      {R"({"base_resp":{"status_code":1002,"status_msg":"rate limit"}})", "base_resp", "1002",
       "rate limit"},
      {"<html>502 Bad Gateway</html>", "", "", ""},
      {R"({"error":{"message":"cut of)", "", "", ""},
      {"", "", "", ""},
  };
  for (const auto protocol : protocols) {
    const auto& codec = codec_for(protocol);
    for (const auto& c : cases) {
      CAPTURE(c.body);
      std::string scratch;
      const auto error = codec.read_error(c.body, scratch);
      CHECK(error.type == c.type);
      CHECK(error.code == c.code);
      CHECK(error.message == c.message);
      CHECK(error.json == c.body);
    }
    std::string body;
    codec.write_error(Error("", "some_code", "no \"more\""), 429, body);
    std::string scratch;
    const auto again = codec.read_error(body, scratch);
    CHECK(again.type == "rate_limit_error");
    CHECK(again.code == "some_code");
    CHECK(again.message == "no \"more\"");
    CHECK(decode(protocol, {body}, BodyShape::whole).ending == Ending::failed);
  }
}

TEST_CASE("members of a request are replaced where they stand, or added; the rest is untouched") {
  const auto changed =
      with_members(R"({ "model" : "a", "n": 1.50, "x": {"model":"b"}, "model":"c" })",
                   {{"model", "\"new\""}, {"stream", "true"}});
  CHECK(changed == R"({"model":"new","n":1.50,"x":{"model":"b"},"stream":true})");
  CHECK(with_members("{}", {{"a", "1"}}) == R"({"a":1})");
  CHECK_FALSE(with_members("[1]", {}));
  CHECK_FALSE(with_members(R"({"a":)", {}));
  CHECK_FALSE(with_members("", {}));
}

TEST_CASE("protocols have names") {
  for (const auto protocol : protocols) {
    CHECK(protocol_from(to_string(protocol)) == protocol);
  }
  CHECK_FALSE(protocol_from("openai"));
}

}  // namespace codec_test
