#include "../../lib/llm/passed_headers.hpp"

#include <doctest/doctest.h>

#include <string>

namespace passed_headers_test {

using namespace understudy;
using namespace understudy::llm;
using llm::detail::pass_to_provider;
using llm::detail::passed_to_client;

namespace {

const BackEnd& back_end(const char* id, Protocol protocol) {
  const auto* const found = Catalog::built_in().back_end(id, protocol);
  REQUIRE(found != nullptr);
  return *found;
}

constexpr auto messages = Protocol::anthropic_messages;
constexpr auto responses = Protocol::openai_responses;
constexpr auto chat = Protocol::openai_chat;

std::string line(const HttpFields& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text.append(fields[i].first).append("=").append(fields[i].second).append(";");
  }
  return text;
}
std::string line(const HeaderList& list) {
  HttpFields fields;
  for (const auto& [name, value] : list) {
    fields.add(name, value);
  }
  return line(fields);
}

std::string passed(const BackEnd& to, const HeaderList& from) {
  HttpRequest request("POST", "/");
  pass_to_provider(request, to, from, "me");
  return line(request.headers);
}

}  // namespace

TEST_CASE("each back end gets the client's headers that it takes, and no other") {
  const HeaderList agents{{"anthropic-version", "2023-06-01"},
                          {"x-claude-code-session-id", "s"},
                          {"x-claude-code-agent-id", "a"},
                          {"user-agent", "agent/1"},
                          {"x-stainless-os", "Linux"},
                          {"originator", "codex_cli_rs"},
                          {"session-id", "t"},
                          {"x-codex-window-id", "w"},
                          {"openai-beta", "b"},
                          {"x-other", "o"}};
  CHECK(passed(back_end("anthropic", messages), agents) ==
        "anthropic-version=2023-06-01;x-claude-code-session-id=s;x-claude-code-agent-id=a;"
        "user-agent=agent/1;x-stainless-os=Linux;");
  CHECK(passed(back_end("codex", responses), agents) ==
        "user-agent=agent/1;x-stainless-os=Linux;originator=codex_cli_rs;session-id=t;"
        "x-codex-window-id=w;openai-beta=b;");
  CHECK(passed(back_end("openai-chat", chat), agents) ==
        "user-agent=agent/1;x-stainless-os=Linux;openai-beta=b;");
  CHECK(passed(back_end("zai-anthropic", messages), agents).empty());
  CHECK(passed(back_end("groq", chat), agents).empty());
}

TEST_CASE("no credential passes, and nothing of the connection, whatever a catalog lists") {
  BackEnd open;
  open.request_headers = {"*"};
  open.response_headers = {"*"};
  for (const auto* name :
       {"authorization", "x-api-key", "api-key", "x-understudy-key", "cookie", "set-cookie",
        "proxy-authorization", "host", "connection", "transfer-encoding", "content-length",
        "content-encoding", "accept-encoding", "chatgpt-account-id", "upgrade", "retry-after",
        "x-request-id"}) {
    CAPTURE(name);
    CHECK(passed(open, {{name, "v"}}).empty());
    HttpFields fields;
    fields.add(name, "v");
    CHECK(passed_to_client(open, fields, "me").empty());
  }
  CHECK(passed(open, {{"x-bad", "a\r\nauthorization: b"}}).empty());
}

TEST_CASE("a header that the request has is not replaced") {
  HttpRequest request("POST", "/");
  request.with_header("User-Agent", "configured");
  pass_to_provider(request, back_end("anthropic", messages), {{"user-agent", "client"}}, "me");
  CHECK(line(request.headers) == "User-Agent=configured;");
}

TEST_CASE("the headers of an answer that a client gets") {
  HttpFields answer;
  answer.add("Anthropic-RateLimit-Unified-5h-Utilization", "0.5");
  answer.add("x-ratelimit-remaining-requests", "7");
  answer.add("x-codex-primary-used-percent", "12");
  answer.add("openai-model", "gpt-5.5");
  answer.add("server", "cloudflare");
  answer.add("date", "today");
  CHECK(line(passed_to_client(back_end("anthropic", messages), answer, "me")) ==
        "anthropic-ratelimit-unified-5h-utilization=0.5;");
  CHECK(line(passed_to_client(back_end("openai-chat", chat), answer, "me")) ==
        "x-ratelimit-remaining-requests=7;openai-model=gpt-5.5;");
  CHECK(line(passed_to_client(back_end("codex", responses), answer, "me")) ==
        "x-codex-primary-used-percent=12;openai-model=gpt-5.5;");
  CHECK(passed_to_client(back_end("groq", chat), answer, "me").empty());
}

TEST_CASE("a turn state goes back to its issuer alone") {
  HttpFields answer;
  answer.add("x-codex-turn-state", "opaque.state");
  const auto& codex = back_end("codex", responses);
  const auto given = passed_to_client(codex, answer, "issuer1");
  REQUIRE(given.size() == 1);
  CHECK(given[0].second != "opaque.state");
  HttpRequest same("POST", "/");
  pass_to_provider(same, codex, given, "issuer1");
  CHECK(line(same.headers) == "x-codex-turn-state=opaque.state;");
  HttpRequest other("POST", "/");
  pass_to_provider(other, codex, given, "issuer2");
  CHECK(line(other.headers).empty());
  CHECK(passed(codex, {{"x-codex-turn-state", "unmarked"}}).empty());
}

TEST_CASE("what passes is bounded") {
  HeaderList many;
  for (int i = 0; i < 1000; ++i) {
    many.emplace_back("x-codex-" + std::to_string(i), "v");
  }
  HttpRequest request("POST", "/");
  pass_to_provider(request, back_end("codex", responses), many, "me");
  CHECK(request.headers.size() == llm::detail::most_passed);
  CHECK(passed(back_end("codex", responses), {{"x-codex-a", std::string(9000, 'a')}}).empty());
}

TEST_CASE("Chat and Responses are of one maker, Messages is of another") {
  CHECK(llm::detail::same_family(chat, responses));
  CHECK(llm::detail::same_family(messages, messages));
  CHECK_FALSE(llm::detail::same_family(messages, chat));
  CHECK_FALSE(llm::detail::same_family(responses, messages));
}

}  // namespace passed_headers_test
