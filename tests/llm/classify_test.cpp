#include "understudy/llm/classify.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <boost/asio/error.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace classify_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using Reason = FailoverReason;
using simdjson::dom::element;

namespace {

const auto now =
    std::chrono::system_clock::time_point(sys_days(std::chrono::year(2026) / 9 / 21)) + 12h;

std::string text(const simdjson::simdjson_result<element>& field) {
  element value;
  std::string_view string;
  if (field.get(value) != simdjson::SUCCESS || value.is_null()) {
    return {};
  }
  return value.get(string) == simdjson::SUCCESS ? std::string(string) : simdjson::minify(value);
}

std::uint64_t number(const simdjson::simdjson_result<element>& field, std::uint64_t otherwise) {
  std::uint64_t value = 0;
  return field.get(value) == simdjson::SUCCESS ? value : otherwise;
}

/// One of the reference cases, and what the classifier makes of it.
Classified classify_case(const element& given) {
  const auto provider = text(given["provider"]);
  const auto model = text(given["model"]);
  const auto body = text(given["body"]);
  const auto message = text(given["message"]);
  std::vector<std::pair<std::string, std::string>> owned;
  simdjson::dom::object fields;
  if (given["headers"].get(fields) == simdjson::SUCCESS) {
    for (const auto field : fields) {
      owned.emplace_back(field.key, std::string_view(field.value));
    }
  }
  const std::vector<llm::HeaderField> headers(owned.begin(), owned.end());
  ProviderError error;
  error.with_provider(provider).with_model(model).with_headers(headers).with_body(body);
  error.with_message(message).with_status(static_cast<int>(number(given["status"], 0)));
  error.with_prompt(number(given["prompt_tokens"], 0)).with_messages(number(given["messages"], 0));
  error.with_context_window(number(given["context_window"], 200'000));
  return classify(error, now);
}

void check_file(const char* name) {
  simdjson::dom::parser parser;
  element root;
  std::string path = UNDERSTUDY_TEST_DATA "/";
  path += name;
  REQUIRE(parser.load(path).get(root) == simdjson::SUCCESS);
  int expected = 0;
  for (const element given : simdjson::dom::array(root)) {
    std::set<std::string> accepted;
    accepted.insert(text(given["expect"]["reason"]));
    if (accepted.contains("")) {
      continue;
    }
    ++expected;
    simdjson::dom::array others;
    if (given["expect"]["also_accepted"].get(others) == simdjson::SUCCESS) {
      for (const element other : others) {
        accepted.insert(std::string(std::string_view(other)));
      }
    }
    const auto result = classify_case(given);
    const auto what = simdjson::minify(given) + ": " + std::string(to_string(result.reason)) +
                      " by " + std::string(result.rule);
    CAPTURE(what);
    CHECK(accepted.contains(std::string(to_string(result.reason))));
  }
  CHECK(expected > 50);
}

Reason reason_of_body(int status, std::string_view body) {
  return classify(ProviderError().with_status(status).with_body(body), now).reason;
}

}  // namespace

TEST_CASE("the example of the header") {
  const auto failure = classify(ProviderError().with_provider("openai").with_status(429).with_body(
      R"({"error":{"code":"insufficient_quota","message":"You exceeded your current quota."}})"));
  CHECK(failure.reason == FailoverReason::billing);
  CHECK(failure.rule == "billing code");
}

TEST_CASE("every given case") { check_file("classifier-cases.json"); }

TEST_CASE("every given error of a provider") { check_file("errors.json"); }

// Errors as other providers send them, conflicting words, and words in the wrong order.
TEST_CASE("every case of our own") { check_file("classifier-own-cases.json"); }

TEST_CASE("statuses that no provider documents") {
  const llm::HeaderField retry[] = {{"X-Should-Retry", "true"}};
  CHECK(classify(ProviderError().with_status(409).with_headers(retry), now).reason ==
        Reason::server_error);
}

TEST_CASE("Bedrock names its errors beside the body") {
  const auto thrown = [](std::string_view name, int status, std::string_view message) {
    const llm::HeaderField headers[] = {{"X-Amzn-ErrorType", name}};
    const auto body = R"({"message":")" + std::string(message) + "\"}";
    return classify(ProviderError()
                        .with_provider("bedrock")
                        .with_status(status)
                        .with_headers(headers)
                        .with_body(body),
                    now)
        .reason;
  };
  CHECK(thrown("ThrottlingException:http://x/", 429, "slow") == Reason::rate_limit);
  CHECK(thrown("ModelNotReadyException", 429, "not yet") == Reason::overloaded);
  CHECK(thrown("ModelTimeoutException", 408, "no") == Reason::timeout);
  CHECK(thrown("ServiceQuotaExceededException", 400, "no") == Reason::rate_limit);
  CHECK(thrown("ValidationException", 400, "Input is too long for requested model.") ==
        Reason::context_overflow);
  CHECK(thrown("ValidationException", 400, "The provided model identifier is invalid.") ==
        Reason::model_not_found);
  CHECK(thrown("ValidationException", 400, "Malformed input request") == Reason::format_error);
  CHECK(thrown("AccessDeniedException", 403,
               "You don't have access to the model with the specified model ID.") ==
        Reason::model_entitlement);
  CHECK(thrown("ResourceNotFoundException", 404,
               "Could not resolve the foundation model from the provided model identifier.") ==
        Reason::model_not_found);

  const auto event = [](std::string_view name) {
    return classify(
               ProviderError().with_provider("bedrock").with_status(200).with_event(name).with_body(
                   R"({"message":"no"})"),
               now)
        .reason;
  };
  CHECK(event("throttlingException") == Reason::rate_limit);
  CHECK(event("modelStreamErrorException") == Reason::server_error);
  CHECK(event("internalServerException") == Reason::server_error);
  CHECK(event("serviceUnavailableException") == Reason::overloaded);
  CHECK(event("validationException") == Reason::format_error);
  CHECK(event("modelTimeoutException") == Reason::timeout);
}

TEST_CASE("bodies that are no text") {
  CHECK(reason_of_body(0, "\xEF\xBB\xBF{\"error\":{\"type\":\"overloaded_error\"}}") ==
        Reason::overloaded);
  CHECK(reason_of_body(400, "{\"error\":{\"message\":\"prompt is too long\xFF\xFE\"}}") ==
        Reason::context_overflow);
  CHECK(reason_of_body(0, std::string_view("\x00\x01\x02", 3)) == Reason::unknown);
}

TEST_CASE("a wordless 400 is an overflow only where the conversation is large") {
  const auto wordless = [](std::string_view message, std::uint64_t tokens, std::uint64_t messages,
                           std::uint64_t window) {
    return classify(ProviderError()
                        .with_status(400)
                        .with_message(message)
                        .with_prompt(tokens)
                        .with_messages(messages)
                        .with_context_window(window),
                    now)
        .reason;
  };
  CHECK(wordless("Bad Request", 80'001, 0, 256'000) == Reason::context_overflow);
  CHECK(wordless("Bad Request", 80'000, 80, 256'000) == Reason::format_error);
  CHECK(wordless("", 0, 81, 256'000) == Reason::context_overflow);
  CHECK(wordless("Error code: 400 - {'error': {'message': 'Error'}}", 4'001, 0, 10'000) ==
        Reason::context_overflow);
  CHECK(wordless("Error", 80'001, 500, 256'001) == Reason::format_error);
  // Short, but it says what is wrong.
  CHECK(wordless("Invalid tool schema", 150'000, 500, 200'000) == Reason::format_error);
}

TEST_CASE("a model known to the world, asked for without its vendor") {
  const auto asked = [](std::string_view provider, std::string_view model) {
    return classify(ProviderError()
                        .with_status(404)
                        .with_provider(provider)
                        .with_model(model)
                        .with_message("404 page not found"),
                    now)
        .reason;
  };
  CHECK(asked("nvidia", "nemotron-3-super-120b") == Reason::model_not_found);
  CHECK(asked("OpenRouter", "claude-opus-5") == Reason::model_not_found);
  CHECK(asked("openrouter", "anthropic/claude-opus-5") == Reason::unknown);
  CHECK(asked("anthropic", "claude-opus-5") == Reason::unknown);
  CHECK(asked("nvidia", "my-own-model") == Reason::unknown);
}

TEST_CASE("transport errors: connection, whatever the size of the conversation") {
  const auto failed = [](const error_code& code, int status = 0) {
    return classify(ProviderError()
                        .with_transport(code)
                        .with_status(status)
                        .with_prompt(190'000)
                        .with_messages(900),
                    now)
        .reason;
  };
  using namespace boost::asio;
  CHECK(failed(error::connection_refused) == Reason::connection);
  CHECK(failed(error::connection_reset) == Reason::connection);
  CHECK(failed(error::eof) == Reason::connection);
  CHECK(failed(error::timed_out) == Reason::connection);
  CHECK(failed(error::host_not_found) == Reason::connection);
  CHECK(failed(error::network_unreachable) == Reason::connection);
  CHECK(failed(error::eof, 200) == Reason::connection);
  CHECK(failed(error::eof, 429) == Reason::rate_limit);  // the status was there before
  CHECK(failed(FailoverReason::timeout) == Reason::timeout);
  CHECK(failed(FailoverReason::malformed_response) == Reason::malformed_response);
  CHECK(classify(ProviderError()
                     .with_transport(error::connection_reset)
                     .with_message("certificate verify failed"),
                 now)
            .reason == Reason::ssl_cert_verification);
}

TEST_CASE("how long to wait: headers, body, message, and headers that a body quotes") {
  CHECK(
      classify(ProviderError().with_status(429).with_message("Weekly limit. Resets in 6hr 29min."),
               now)
          .retry_after == 6h + 29min);
  CHECK(
      classify(
          ProviderError().with_status(200).with_body(
              R"({"response":{"error":{"code":"rate_limit_exceeded","message":"Please try again in 1.898s."}}})"),
          now)
          .retry_after == 1898ms);
  const llm::HeaderField headers[] = {{"Retry-After", "7"}};
  CHECK(classify(
            ProviderError().with_status(529).with_headers(headers).with_message("try again in 9s"),
            now)
            .retry_after == 7s);
  const auto reset =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch() + 90s).count();
  const auto body =
      R"({"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day","metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":")" +
      std::to_string(reset) + R"("}}}})";
  CHECK(classify(ProviderError().with_status(429).with_provider("openrouter").with_body(body), now)
            .retry_after == 90s);
  CHECK_FALSE(classify(ProviderError().with_status(500), now).retry_after);
}

TEST_CASE("billing wording that is also said of refused content is marked") {
  const auto extra =
      classify(ProviderError().with_status(400).with_message("You're out of extra usage."), now);
  CHECK(extra.reason == Reason::billing);
  CHECK(extra.billing_unverified);
  CHECK_FALSE(classify(ProviderError().with_status(402), now).billing_unverified);
}

TEST_CASE("the message for people is one bounded line of valid UTF-8") {
  const auto shown = [](std::string_view message) {
    return classify(ProviderError().with_message(message), now).message;
  };
  CHECK(shown("one\ntwo\x07") == "one two ");
  CHECK(shown("\xFF") == "?");
  std::string wide;
  while (wide.size() < 2 * classify_message_limit) {
    wide += "\xE4\xBD\x99";
  }
  const auto cut = shown(wide);
  CHECK(cut.size() > classify_message_limit - 3);
  CHECK(cut.size() <= classify_message_limit);
  CHECK(simdjson::validate_utf8(cut));
  CHECK(cut.find('?') == std::string::npos);
  CHECK(classify(ProviderError()
                     .with_status(400)
                     .with_body(R"({"error":{"type":"x","message":"inner"}})")
                     .with_message("outer"),
                 now)
            .message == "inner");
}

TEST_CASE("bounded: what lies beyond the limits is not read, and no input is slow") {
  std::string far(classify_text_limit * 2, 'x');
  far[far.size() / 2] = ' ';
  CHECK(classify(ProviderError().with_body(far + " overloaded " + far), now).reason ==
        Reason::unknown);
  CHECK(classify(ProviderError().with_body(far + " overloaded"), now).reason ==
        Reason::overloaded);  // the end is
  const std::string brackets(200'000, '[');
  CHECK(classify(ProviderError().with_status(500).with_body(brackets), now).reason ==
        Reason::server_error);
  std::string nested = "x";
  for (int i = 0; i < 12; ++i) {  // JSON in JSON in JSON: each level doubles the escapes
    std::string quoted;
    for (const char c : nested) {
      quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    nested = R"({"error":")" + quoted + "\"}";
  }
  CHECK(classify(ProviderError().with_status(500).with_body(nested), now).reason ==
        Reason::server_error);
  std::string events;
  while (events.size() < classify_body_limit) {
    events += "event:a\ndata:{\"reset_at\":1}\n";
  }
  CHECK(classify(ProviderError().with_status(500).with_body(events), now).reason ==
        Reason::server_error);
  std::string many = "[";
  while (many.size() < classify_body_limit - 100) {
    many += R"({"message":"model model model exceed exceed"},)";
  }
  many += "0]";
  CHECK(classify(ProviderError().with_status(500).with_body(many), now).reason ==
        Reason::server_error);
  // The first half of a pattern with a gap, over and over: linear, not quadratic.
  std::string halves;
  while (halves.size() < 2 * classify_text_limit) {
    halves += "model prompt input context quota ";
  }
  CHECK(classify(ProviderError().with_message(halves), now).reason == Reason::unknown);
}

TEST_CASE("any bytes: a rule, no exception") {
  std::mt19937 random(1);
  const std::string_view pieces[] = {"{\"error\":",
                                     "{\"message\":\"",
                                     "\"}",
                                     "}",
                                     "[",
                                     "]",
                                     "<html>",
                                     "<",
                                     ">",
                                     "data: ",
                                     "event: error\n",
                                     "\n",
                                     "rate limit",
                                     "exceed",
                                     "context window",
                                     "\"code\":",
                                     "429",
                                     "\xff\xfe",
                                     "余额不足",
                                     " ... ",
                                     "*",
                                     "\\",
                                     "\"",
                                     ","};
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes;
    for (auto length = random() % 16; length > 0; --length) {
      bytes += pieces[random() % std::size(pieces)];
    }
    CAPTURE(bytes);
    const auto result = classify(ProviderError()
                                     .with_status(static_cast<int>(random() % 700))
                                     .with_body(bytes)
                                     .with_message(bytes)
                                     .with_event(bytes)
                                     .with_provider(bytes),
                                 now);
    REQUIRE_FALSE(result.rule.empty());
    REQUIRE(result.message.size() <= classify_message_limit);
    REQUIRE(simdjson::validate_utf8(result.message));
  }
}

}  // namespace classify_test
