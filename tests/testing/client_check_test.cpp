// That the simulation's client can say no: what a provider sends that repeats itself, to a client that gets it as it is.
#include "testing/client_check.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "stage.hpp"

namespace client_check_tests {

using namespace stage;
using Arguments = Reply::Arguments;
using Finishes = Reply::Finishes;

namespace {

const std::string text = "One two three.";
const std::string arguments = R"({"n": 1, "m": 2})";

WholeAnswer right() {
  WholeAnswer answer;
  answer.text = text;
  answer.calls.emplace_back("read", arguments);
  return answer;
}

/// What the server sends, in frames.
std::string sent(Protocol protocol, Arguments how, Finishes finishes) {
  FaultServer server;
  server.reply(
      Reply::answer(text).call("call_1", "read", arguments).sending(how).reporting(finishes, 3));
  return one(server, ask(protocol)).body;
}

std::string complaint(Protocol protocol, const std::string& stream, bool complete = true) {
  ClientCheck check(protocol, right());
  check.take(stream);
  check.end(complete);
  return check.complaint();
}

bool has(const std::string& complaint, std::string_view part) {
  CAPTURE(complaint);
  return complaint.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a client check: what is right has no complaint") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    CHECK(complaint(protocol, sent(protocol, Arguments::once, Finishes::once)).empty());
  }
}

TEST_CASE("a client check: arguments that were sent again are not the provider's arguments") {
  for (const auto how : {Arguments::cumulative, Arguments::whole_again, Arguments::pieces_again,
                         Arguments::empty_first}) {
    CAPTURE(static_cast<int>(how));
    for (const auto protocol : {Protocol::openai_chat, Protocol::anthropic_messages}) {
      CAPTURE(to_string(protocol));
      CHECK(has(complaint(protocol, sent(protocol, how, Finishes::once)), "a tool call is read{"));
    }
    // There the end of the call states them, and the deltas say more.
    const auto stream = sent(Protocol::openai_responses, how, Finishes::once);
    CHECK(stream != sent(Protocol::openai_responses, Arguments::once, Finishes::once));
    CHECK(complaint(Protocol::openai_responses, stream).empty());
  }
}

TEST_CASE("a client check: of finishes that are repeated only the last one is the end") {
  for (const auto protocol : {Protocol::openai_chat, Protocol::anthropic_messages}) {
    CAPTURE(to_string(protocol));
    const auto early = complaint(protocol, sent(protocol, Arguments::once, Finishes::taken_back));
    CHECK(has(early, "a neat end to a part of the text"));
    CHECK(has(early, "comes after the finish"));
    CHECK(has(early, "it finishes twice"));
    const auto always =
        complaint(protocol, sent(protocol, Arguments::once, Finishes::with_every_event));
    CHECK(has(always, "a neat end to a part of the text"));
    CHECK(has(always, "it finishes twice"));
  }
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    CHECK(has(complaint(protocol, sent(protocol, Arguments::once, Finishes::twice)),
              "it finishes twice"));
  }
}

TEST_CASE("a client check: a truncated answer is complete for no client") {
  for (const auto protocol : protocols) {
    CAPTURE(to_string(protocol));
    const auto whole = sent(protocol, Arguments::once, Finishes::once);
    const auto cut = whole.substr(0, whole.find("\n\n", whole.size() / 2) + 2);
    CHECK(has(complaint(protocol, cut), "complete without a finish"));
    CHECK(has(complaint(protocol, cut, false), "the client was told nothing"));
    CHECK(has(complaint(protocol, whole, false), "told nothing, or a finish"));
  }
}

}  // namespace client_check_tests
