#include "understudy/llm/carried_seals.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "understudy/llm/carrier.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace carried_seals_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

using Kind = ReasoningSeal::Kind;

Request asked(Protocol client, bool wants = true) {
  Request request("m");
  request.origin = client;
  request.body = wants ? R"({"include":["reasoning.encrypted_content"]})" : "{}";
  return request;
}

ReasoningOrigin by(const std::string& provider, bool home = false) {
  ReasoningOrigin origin(provider, "m");
  origin.home = home;
  return origin;
}

/// The seals that the client gets of the events.
std::vector<std::string> seals_of(const Request& request, const ReasoningOrigin& origin,
                                  Protocol spoken, const std::vector<Event>& events,
                                  bool carry = true) {
  CarriedSeals seals(request, carry);
  seals.from(origin, spoken);
  std::vector<std::string> got;
  const auto note = [&](const Event* event) {
    const auto* const seal = event == nullptr ? nullptr : std::get_if<ReasoningSeal>(&event->body);
    if (seal != nullptr) {
      got.emplace_back(seal->data);
    }
  };
  for (const auto& event : events) {
    note(seals.missing(event));
    note(seals.carried(event));
  }
  return got;
}

Carrier read(const std::string& seal) {
  auto carrier = read_carrier(seal).carrier;
  REQUIRE(carrier);
  return *carrier;
}

std::vector<Event> reasoned(const std::optional<ReasoningSeal>& seal) {
  std::vector<Event> events{Event(Start("id", "m")), Event(Reasoning(0, "hm")),
                            Event(Reasoning(0, "m"))};
  if (seal) {
    events.emplace_back(*seal);
  }
  events.emplace_back(Text(1, "yes"));
  events.emplace_back(Finish(FinishReason::stop, "stop"));
  events.emplace_back(End());
  return events;
}

}  // namespace

TEST_CASE("the home's seals reach the client as they are") {
  const auto events = reasoned(ReasoningSeal(0, Kind::signature, "EqQB"));
  CHECK(seals_of(asked(Protocol::anthropic_messages), by("anthropic", true),
                 Protocol::anthropic_messages, events) == std::vector<std::string>{"EqQB"});
}

TEST_CASE("a seal of another maker, or in another protocol, is carried in the client's field") {
  struct Case {
    Protocol client;
    Protocol spoken;
    Kind kind;
    CarrierKind carried;
    std::string original;
  };
  const std::vector<Case> cases{
      {Protocol::anthropic_messages, Protocol::anthropic_messages, Kind::signature,
       CarrierKind::signature, "s\"x"},
      {Protocol::anthropic_messages, Protocol::anthropic_messages, Kind::redacted,
       CarrierKind::redacted, "s\"x"},
      {Protocol::anthropic_messages, Protocol::openai_responses, Kind::encrypted,
       CarrierKind::encrypted, "s\"x"},
      {Protocol::anthropic_messages, Protocol::openai_chat, Kind::call, CarrierKind::call_signature,
       "s\"x"},
      {Protocol::openai_responses, Protocol::openai_responses, Kind::encrypted,
       CarrierKind::encrypted, "s\"x"},
      {Protocol::openai_responses, Protocol::anthropic_messages, Kind::signature,
       CarrierKind::thinking, R"({"type":"thinking","thinking":"hmm","signature":"s\"x"})"},
      {Protocol::openai_chat, Protocol::anthropic_messages, Kind::signature, CarrierKind::thinking,
       R"({"type":"thinking","thinking":"hmm","signature":"s\"x"})"},
      {Protocol::anthropic_messages, Protocol::openai_chat, Kind::encrypted, CarrierKind::detail,
       R"({"type":"reasoning.encrypted","data":"s\"x","id":"r"})"},
  };
  for (const auto& one : cases) {
    CAPTURE(to_string(one.client));
    CAPTURE(to_string(one.spoken));
    const auto got = seals_of(asked(one.client), by("p"), one.spoken,
                              reasoned(ReasoningSeal(0, one.kind, "s\"x", "r")));
    REQUIRE(got.size() == 1);
    const auto carrier = read(got[0]);
    CHECK(carrier.kind == one.carried);
    CHECK(carrier.original == one.original);
    CHECK(carrier.provider == "p");
    CHECK(carrier.model == "m");
  }
}

TEST_CASE("reasoning without a seal gets one before what follows it, and cut reasoning gets none") {
  for (const auto client : {Protocol::anthropic_messages, Protocol::openai_responses}) {
    for (const bool home : {false, true}) {
      const auto got =
          seals_of(asked(client), by("deepseek", home), client, reasoned(std::nullopt));
      REQUIRE(got.size() == 1);
      CHECK(read(got[0]).kind == CarrierKind::unsigned_thinking);
      CHECK(read(got[0]).provider == "deepseek");
    }
    CHECK(seals_of(asked(client), by("p"), client, {Event(Reasoning(0, "hm"))}).empty());
  }
  CHECK(
      seals_of(asked(Protocol::openai_chat), by("p"), Protocol::openai_chat, reasoned(std::nullopt))
          .empty());
}

TEST_CASE("a client of Responses that does not ask for encrypted reasoning gets no carriers") {
  const auto request = asked(Protocol::openai_responses, false);
  CHECK(seals_of(request, by("p"), Protocol::anthropic_messages,
                 reasoned(ReasoningSeal(0, Kind::signature, "s")))
            .empty());
  CHECK(seals_of(request, by("p"), Protocol::anthropic_messages, reasoned(std::nullopt)).empty());
}

TEST_CASE("carrying can be turned off: the client sees its home's reasoning alone") {
  const auto request = asked(Protocol::anthropic_messages);
  CarriedSeals off(request, false);
  off.from(by("p"), Protocol::openai_chat);
  const Event thought(Reasoning(0, "hm"));
  CHECK(off.carried(thought) == nullptr);
  CHECK(off.missing(Event(Text(1, "yes"))) == nullptr);
  off.from(by("anthropic", true), Protocol::anthropic_messages);
  CHECK(off.carried(thought) == &thought);
}

TEST_CASE("a seal that is too long for a carrier leaves one that no member can read") {
  const std::string longest(longest_original + 1, 'x');
  const auto got =
      seals_of(asked(Protocol::anthropic_messages), by("p"), Protocol::openai_responses,
               reasoned(ReasoningSeal(0, Kind::encrypted, longest)));
  REQUIRE(got.size() == 1);
  CHECK_FALSE(reads(by("p"), read(got[0])));
}

TEST_CASE("reasoning that a member began and another one followed is the first one's") {
  CarriedSeals seals(asked(Protocol::anthropic_messages));
  seals.from(by("first"), Protocol::openai_chat);
  const Event thought(Reasoning(0, "hm"));
  REQUIRE(seals.carried(thought) == &thought);
  const auto* const missing = seals.from(by("second"), Protocol::openai_chat);
  REQUIRE(missing != nullptr);
  CHECK(read(std::string(std::get<ReasoningSeal>(missing->body).data)).provider == "first");
  CHECK(seals.missing(Event(Text(1, "yes"))) == nullptr);
}

TEST_CASE("whole answers carry the same") {
  for (const auto client : {Protocol::anthropic_messages, Protocol::openai_responses}) {
    Answer answer;
    for (const auto& event : reasoned(ReasoningSeal(
             0, client == Protocol::anthropic_messages ? Kind::encrypted : Kind::signature, "s"))) {
      answer.add(event);
    }
    answer.protocol = client == Protocol::anthropic_messages ? Protocol::openai_responses
                                                             : Protocol::anthropic_messages;
    answer.origin = by("p");
    carry_seals(answer, asked(client));
    REQUIRE(answer.blocks[0].seal_kind);
    CHECK(read(answer.blocks[0].seal).provider == "p");
    std::string json;
    codec_for(client).write_answer(answer, asked(client), json);
    CHECK(json.find("us1.") != std::string::npos);
    carry_seals(answer, asked(client), false);
    CHECK(answer.blocks.size() == 1);
  }
}

TEST_CASE("the JSON of a whole answer in the client's own protocol is edited in place") {
  std::string messages =
      R"({"id":"m", "content":[{"type":"thinking","thinking":"t","signature":"s"}, {"type":"thinking","thinking":"u"},{"type":"redacted_thinking","data":"r"},{"type":"text","text":"a"}]})";
  carry_seals(messages, Protocol::anthropic_messages, by("p"));
  const auto json = messages;
  for (const auto* const original : {"\"s\"", "\"r\""}) {
    CHECK(json.find(original) == std::string::npos);
  }
  CHECK(json.find(R"({"id":"m", "content":[{"type":"thinking","thinking":"t","signature":"us1.)") ==
        0);
  CHECK(json.find(R"("thinking":"u","signature":"us1.)") != std::string::npos);
  CHECK(json.find("redacted") == std::string::npos);
  std::string home = R"({"content":[{"type":"thinking","thinking":"t","signature":"s"}]})";
  carry_seals(home, Protocol::anthropic_messages, by("p", true));
  CHECK(home == R"({"content":[{"type":"thinking","thinking":"t","signature":"s"}]})");
  std::string responses =
      R"({"output":[{"type":"reasoning","summary":[],"encrypted_content":"e"},{"type":"reasoning","summary":[]}]})";
  carry_seals(responses, Protocol::openai_responses, by("p"));
  CHECK(responses.find(R"("encrypted_content":"us1.)") != std::string::npos);
  CHECK(responses.ends_with(R"({"type":"reasoning","summary":[]}]})"));
  std::string broken = R"({"content":[)";
  carry_seals(broken, Protocol::anthropic_messages, by("p"));
  CHECK(broken == R"({"content":[)");
}

}  // namespace carried_seals_test
