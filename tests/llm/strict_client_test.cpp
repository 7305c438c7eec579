// What we write, before the strictest client of each protocol (strict_client.hpp).
#include "strict_client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "../../lib/testing/drawn_answer.hpp"
#include "stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace strict_client_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::fixture;
using stream_fixtures::fixtures_of;
using namespace std::chrono_literals;
using Events = std::vector<Event>;

namespace {

std::string written(Protocol into, const Events& events) {
  const auto encoder = codec_for(into).encoder(Request());
  std::string out;
  for (const auto& event : events) {
    encoder->write(event, out);
  }
  return out;
}

/// What `bytes` say, and how they end.
struct Heard {
  Heard(Protocol protocol, std::string said) : bytes(std::move(said)), decoder(protocol) {
    decoder.feed(bytes);
    while (const Event* event = decoder.next()) {
      events.push_back(*event);
    }
  }
  Heard(const Heard&) = delete;
  Heard& operator=(const Heard&) = delete;

  std::string bytes;
  EventDecoder decoder;
  Events events;  // they show what the two others hold
};

void check_written(Protocol into, const Events& events, bool complete) {
  const auto bytes = written(into, events);
  const auto verdict = strict_client::read(into, bytes, true);
  CHECK(verdict.complaint == "");
  CHECK_MESSAGE(verdict.complete == complete, bytes);
}

/// A drawn answer as a provider says it: words in pieces, calls one after the other or in turn.
class DrawnEvents {
 public:
  explicit DrawnEvents(std::uint64_t seed) : dice_(seed), answer_(testing::draw_answer(dice_)) {
    const bool refused = answer_.calls.empty() && dice_.chance(10);
    events.emplace_back(Start("answer_1", "m"));
    std::size_t block = 0;
    if (!answer_.thought.empty()) {
      say(answer_.thought, [&](std::string_view piece) { return Reasoning(block, piece); });
      if (dice_.chance(60)) {
        constexpr std::array kinds{ReasoningSeal::Kind::signature, ReasoningSeal::Kind::redacted,
                                   ReasoningSeal::Kind::encrypted};
        events.emplace_back(ReasoningSeal(block, kinds[dice_.pick(3)], "sealed", "rs_1"));
      }
      ++block;
    }
    if (!answer_.text.empty()) {
      say(answer_.text, [&](std::string_view piece) {
        block += dice_.chance(10) ? 1 : 0;
        return Text(block, piece, refused);
      });
      ++block;
    }
    std::vector<std::string_view> left;
    const bool in_turn = dice_.chance(50);
    const bool cut = !answer_.calls.empty() && dice_.chance(20);
    for (std::size_t i = 0; i < answer_.calls.size(); ++i) {
      const auto& call = answer_.calls[i];
      events.emplace_back(ToolStart(block + i, i == 0 ? "call_a" : "call_b", call.name));
      left.emplace_back(call.arguments);
      if (!in_turn) {
        say(call.arguments,
            [&](std::string_view piece) { return ToolArguments(block + i, piece); });
        events.emplace_back(ToolEnd(block + i, true));
        left.back() = {};
      }
    }
    while (in_turn && std::any_of(left.begin(), left.end(), [](auto l) { return !l.empty(); })) {
      const auto i = dice_.pick(left.size());
      const auto size = std::min<std::size_t>(1 + dice_.pick(9), left[i].size());
      events.emplace_back(ToolArguments(block + i, left[i].substr(0, size)));
      left[i].remove_prefix(size);
      if (dice_.chance(5)) {
        events.emplace_back(Text(block + left.size(), "beside"));
      }
      if (dice_.chance(5)) {
        events.emplace_back(Heartbeat());
      }
    }
    for (std::size_t i = 0; in_turn && i < left.size(); ++i) {
      events.emplace_back(ToolEnd(block + i, !(cut && i + 1 == left.size())));
    }
    events.emplace_back(Finish(refused        ? FinishReason::refusal
                               : cut          ? FinishReason::length
                               : left.empty() ? FinishReason::stop
                                              : FinishReason::tool_use,
                               ""));
    events.emplace_back(Usage());
    events.emplace_back(End());
  }
  DrawnEvents(const DrawnEvents&) = delete;
  DrawnEvents& operator=(const DrawnEvents&) = delete;

  Events events;

 private:
  template <class Say>
  void say(std::string_view text, Say piece) {
    while (!text.empty()) {
      auto size = std::min<std::size_t>(1 + dice_.pick(20), text.size());
      while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) {
        ++size;
      }
      events.emplace_back(piece(text.substr(0, size)));
      text.remove_prefix(size);
    }
  }

  testing::Dice dice_;
  testing::WholeAnswer answer_;
};

Answer answer_of(const DrawnEvents& drawn) {
  Answer answer;
  for (const auto& event : drawn.events) {
    answer.add(event);
  }
  return answer;
}

bool usable(const Event& event) {
  return !std::holds_alternative<Other>(event.body) &&
         !std::holds_alternative<Undecodable>(event.body);
}

}  // namespace

TEST_CASE("the strict client takes what the providers themselves stream") {
  for (const auto protocol : protocols) {
    for (const auto& name : fixtures_of(protocol)) {
      CAPTURE(name);
      if (name.starts_with("azure") || name.starts_with("codex")) {
        continue;  // a chunk without an id; events of its own
      }
      const auto complaint = strict_client::read(protocol, fixture(name)).complaint;
      CHECK(complaint == "");
    }
  }
}

TEST_CASE("opencode reads a translated answer: one id per item, no index left out, a time") {
  for (const auto from : protocols) {
    for (const auto into : protocols) {
      for (const auto& name : fixtures_of(from)) {
        CAPTURE(name);
        CAPTURE(to_string(into));
        const Heard heard(from, fixture(name));
        check_written(into, heard.events, heard.decoder.ending() == Ending::complete);
      }
    }
  }
}

TEST_CASE("opencode reads any answer, translated from each protocol into each other one") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const DrawnEvents drawn(seed);
    for (const auto from : protocols) {
      CAPTURE(to_string(from));
      const Heard heard(from, written(from, drawn.events));
      for (const auto into : protocols) {
        CAPTURE(to_string(into));
        check_written(into, drawn.events, true);
        check_written(into, heard.events, true);
      }
    }
  }
}

TEST_CASE("a client cannot tell where its provider's bytes end and ours begin") {
  const auto check = [](Protocol protocol, const Events& events, bool all_ours) {
    for (std::size_t forwarded = 0; forwarded < events.size(); ++forwarded) {
      CAPTURE(forwarded);
      if (events[forwarded].raw.empty()) {
        continue;  // one event of the provider's said this and what is before it
      }
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
      const auto complaint = strict_client::read(protocol, said, all_ours).complaint;
      CHECK_MESSAGE(complaint == "", said);
    }
  };
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    for (const auto& name : fixtures_of(protocol)) {
      CAPTURE(name);
      if (!name.starts_with("azure") && !name.starts_with("codex")) {
        const Heard heard(protocol, fixture(name));
        check(protocol, heard.events, false);
      }
    }
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      const DrawnEvents drawn(seed);
      const Heard heard(protocol, written(protocol, drawn.events));
      check(protocol, heard.events, true);
    }
  }
}

TEST_CASE("a client cannot tell where another member's answer begins") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      CAPTURE(seed);
      const DrawnEvents first(seed);
      const DrawnEvents second(seed + 1000);
      const Heard heard(protocol, written(protocol, first.events));
      const auto calls = std::find_if(heard.events.begin(), heard.events.end(), [](const Event& e) {
        return std::holds_alternative<ToolStart>(e.body) || std::holds_alternative<Finish>(e.body);
      });
      for (auto cut = heard.events.begin() + 1; cut != calls; ++cut) {
        const auto encoder = codec_for(protocol).encoder(Request());
        std::string said;
        for (auto event = heard.events.begin(); event != cut; ++event) {
          said += event->raw;
          encoder->follow(*event);
        }
        for (auto event : second.events) {  // with numbers of their own, as Recovery gives them
          std::visit(
              [](auto& body) {
                if constexpr (requires { body.block; }) {
                  body.block += 1000;
                }
              },
              event.body);
          if (usable(event) && !std::holds_alternative<Start>(event.body)) {
            encoder->write(event, said);
          }
        }
        const auto verdict = strict_client::read(protocol, said, true);
        CHECK_MESSAGE(verdict.complaint == "", said);
        CHECK(verdict.complete);
      }
    }
  }
}

TEST_CASE("reasoning that only its maker can read keeps the name under which it was sealed") {
  const Heard heard(Protocol::openai_responses, fixture("openai_responses_reasoning_tool.sse"));
  const auto again = written(Protocol::openai_responses, heard.events);
  const auto id_in = [](std::string_view bytes) {
    const auto at = bytes.find("\"id\":\"rs_");
    return at == std::string_view::npos ? "none" : bytes.substr(at, bytes.find('"', at + 7) - at);
  };
  CHECK(id_in(heard.bytes) != "none");
  CHECK(id_in(again) == id_in(heard.bytes));
}

TEST_CASE("whole answers have a time, and items with names of their own") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const DrawnEvents drawn(seed);
    const auto answer = answer_of(drawn);
    for (const auto into : protocols) {
      std::string body;
      codec_for(into).write_answer(answer, Request(), body,
                                   std::chrono::sys_seconds(1'790'000'000s));
      simdjson::dom::parser parser;
      simdjson::dom::element json;
      REQUIRE(parser.parse(body).get(json) == simdjson::SUCCESS);
      if (into == Protocol::openai_chat) {
        CHECK(json["created"].get_int64().value() == 1'790'000'000);
      } else if (into == Protocol::openai_responses) {
        CHECK(json["created_at"].get_int64().value() == 1'790'000'000);
        std::set<std::string> ids;
        for (const auto item : json["output"].get_array()) {
          CHECK(ids.insert(std::string(item["id"].get_string().value())).second);
        }
      }
    }
  }
}

TEST_CASE("a client that asks for a whole answer gets what a stream would have said") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const DrawnEvents drawn(seed);
    const auto answer = answer_of(drawn);
    for (const auto into : protocols) {
      CAPTURE(to_string(into));
      std::string whole;
      codec_for(into).write_answer(answer, Request(), whole);
      for (const auto wanted : {AnswerBlock::Kind::reasoning, AnswerBlock::Kind::text,
                                AnswerBlock::Kind::refusal, AnswerBlock::Kind::tool_call}) {
        const auto of = [&](std::string_view bytes, BodyShape shape) {
          EventDecoder decoder(into, shape);
          Answer read;
          const auto take = [&] {
            while (const Event* event = decoder.next()) {
              read.add(*event);
            }
          };
          decoder.feed(bytes);
          take();
          decoder.end();
          take();
          std::string all;
          for (const auto& block : read.blocks) {
            const auto input = block.arguments == "{}" ? "" : block.arguments;  // no arguments
            all += block.kind == wanted ? block.text + block.name + input : "";
          }
          return all;
        };
        const bool hidden = whole.find("redacted_thinking") != std::string::npos;
        if (wanted != AnswerBlock::Kind::reasoning || !hidden) {  // a redaction replaces the text
          CHECK(of(whole, BodyShape::whole) == of(written(into, drawn.events), BodyShape::stream));
        }
      }
    }
  }
}

TEST_CASE("an answer whose beginning was lost has one all the same") {
  for (const auto into : protocols) {
    CAPTURE(to_string(into));
    check_written(into, {Event(Text(0, "a")), Event(Finish(FinishReason::stop, "")), Event(End())},
                  true);
  }
}

TEST_CASE("a call of a kind that the client does not know: it is not told to run calls") {
  const Events events{Event(Start("i", "m")), Event(Text(0, "a")),
                      Event(Finish(FinishReason::tool_use, "")), Event(End())};
  Answer answer;
  for (const auto& event : events) {
    answer.add(event);
  }
  for (const auto into : {Protocol::openai_chat, Protocol::anthropic_messages}) {
    CAPTURE(to_string(into));
    std::string whole;
    codec_for(into).write_answer(answer, Request(), whole);
    for (const auto& said : {whole, written(into, events)}) {
      CHECK(said.find("_reason\":\"tool_") == std::string::npos);
    }
  }
}

}  // namespace strict_client_test
