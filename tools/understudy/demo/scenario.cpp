#include "scenario.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "agent_request.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;
using R = FailoverReason;

constexpr Clock::duration word_gap = 25ms;
constexpr Clock::duration heartbeats = 200ms;

Reply lead_answer() { return Reply::answer(std::string(lead_says)).dripping(word_gap); }

void well(FaultServer& server, std::string_view text) {
  server.reply(Reply::answer(std::string(text)).dripping(word_gap));
}

/// Codex's back end: it refuses what the real one does, and answers what it accepts.
void strict_codex(FaultServer& server) {
  server.reply_by([](const testing::SeenRequest& request) {
    const auto& codex = testing::StrictBackends::embedded().backend("codex");
    auto refusal = codex.authorize(request.head.headers);
    if (!refusal) {
      refusal = codex.judge(request.head.headers, request.body);
    }
    if (refusal) {
      return Reply::page(refusal->status, refusal->content_type, refusal->body);
    }
    auto answer =
        codex.answer(request.head.headers, request.body,
                     testing::StrictAnswerOptions().with_text(std::string(understudy_says)));
    return Reply::stream(answer.content_type, std::move(answer.parts)).dripping(word_gap);
  });
}

/// The lead replies like that, always; its understudy is well.
void lead_replies(FaultServer& lead, FaultServer& understudy, Reply reply) {
  lead.reply(std::move(reply));
  well(understudy, understudy_says);
}

constexpr std::array all{
    Scenario{"heartbeat-stall",
             "The stream stalls: the socket stays open and heartbeats arrive, but no token does.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().after(1, Fault::silence(heartbeats)));
             },
             Ending::understudy_answers, R::timeout},
    Scenario{"silence", "The request is accepted, and no byte is returned.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().before_head(Fault::silence()));
             },
             Ending::understudy_answers, R::timeout},
    Scenario{"slow-first-token", "The head arrives at once, and the first token far too late.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().after(0, Fault::pause(30s)));
             },
             Ending::understudy_answers, R::timeout},
    Scenario{"thinking-with-pings",
             "The model thinks while it sends heartbeats, within its limit: it is not interrupted.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().after(1, Fault::pause(700ms, 100ms)));
             },
             Ending::lead_answers, std::nullopt},
    Scenario{"mid-stream-stall",
             "The answer stalls after some words: they are retracted, and the answer restarts.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().after(5, Fault::silence(heartbeats)));
             },
             Ending::understudy_answers, R::timeout, 1},
    Scenario{"reset", "The connection is reset before any byte was sent, and again at the retry.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().before_head(Fault::reset()));
             },
             Ending::understudy_answers, R::connection},
    Scenario{"truncated", "The body breaks off within a chunk.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, lead_answer().after(5, Fault::truncated_chunk()));
             },
             Ending::understudy_answers, R::connection, 1},
    Scenario{"rate-limit", "429 with a Retry-After of a minute, which is longer than `patience`.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy,
                            Reply::status(429, "Number of requests has exceeded your rate limit",
                                          "rate_limit_error")
                                .with_header("retry-after", "60"));
             },
             Ending::understudy_answers, R::rate_limit},
    Scenario{"billing", "The account is out of funds.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy,
                            Reply::status(400, "Your credit balance is too low to access the API",
                                          "invalid_request_error"));
             },
             Ending::understudy_answers, R::billing},
    Scenario{"auth-refresh",
             "The OAuth token has expired: it is refreshed during the call, and the lead answers.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead.reply(Reply::status(401, "OAuth token has expired", "authentication_error"));
               lead_replies(lead, understudy, lead_answer());
             },
             Ending::lead_answers, R::auth, 0, true},
    Scenario{"overloaded", "200, followed by an error event: overloaded.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy,
                            lead_answer().after(1, Fault::error("overloaded_error", "Overloaded")));
             },
             Ending::understudy_answers, R::overloaded},
    Scenario{"context-overflow",
             "The prompt is too long for the lead; the understudy's window is larger.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy,
                            Reply::status(400, "prompt is too long: 210000 tokens > 200000 maximum",
                                          "invalid_request_error"));
             },
             Ending::understudy_answers, R::context_overflow},
    Scenario{"malformed", "200 with an HTML page.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead_replies(lead, understudy, Reply::html());
             },
             Ending::understudy_answers, R::malformed_response},
    Scenario{"all-down",
             "Both members fail, also when retried: one typed failure that names every attempt.",
             [](FaultServer& lead, FaultServer& understudy) {
               lead.reply(Reply::status(500, "Internal server error", "api_error"));
               understudy.reply(Reply::status(500, "The server had an error", "server_error"));
             },
             Ending::fails, R::server_error},
    Scenario{
        "cancel",
        "The user goes away during the answer: its connection is closed, and no member is marked.",
        [](FaultServer& lead, FaultServer& understudy) {
          lead_replies(lead, understudy, lead_answer().dripping(200ms));
        },
        Ending::cancelled, std::nullopt, 0, false, true},
    Scenario{
        "claude-to-codex",
        "Claude Code's request, Anthropic overloaded: fitted to Codex's back end, which is strict.",
        [](FaultServer& lead, FaultServer& understudy) {
          lead.reply(Reply::status(529, "Overloaded", "overloaded_error"));
          strict_codex(understudy);
        },
        Ending::understudy_answers, R::overloaded, 0, false, false, agent_request},
};

}  // namespace

std::string_view to_string(Ending ending) noexcept {
  switch (ending) {
    case Ending::lead_answers: return "the lead answers";
    case Ending::understudy_answers: return "the understudy answers";
    case Ending::fails: return "a typed failure";
    case Ending::cancelled: return "cancelled";
  }
  return "";
}

std::span<const Scenario> scenarios() { return all; }

const Scenario* find_scenario(std::string_view name) {
  const auto* const found =
      std::find_if(all.begin(), all.end(), [&](const Scenario& s) { return s.name == name; });
  return found == all.end() ? nullptr : found;
}

std::string configuration(const Scenario& scenario, std::uint16_t lead_port,
                          std::uint16_t understudy_port, std::uint16_t token_port,
                          const std::string& token_file) {
  const bool agent = !scenario.request.empty();
  const std::string understudy = agent ? "codex" : "openai-codex";
  const std::string model = agent ? "gpt-5.6-sol" : "gpt-5.5";
  const auto here = [](std::uint16_t port) { return "\"http://127.0.0.1:" + std::to_string(port); };
  std::string text = R"([model]
provider = "anthropic"
default = "claude-opus-4-7"

[[fallback_providers]]
provider = ")" + understudy +
                     R"("
model = ")" + model + R"("

[fallback]
eager_on_timeout = true
on_partial = "restart"

[stall]
connect = "1s"
first_progress = "1s"
stale = "1s"

[retry]
backoff_base = "50ms"
backoff_cap = "200ms"

[providers.anthropic]
base_url = )" + here(lead_port) +
                     R"("
models."claude-opus-4-7" = { context_window = 200000 }
)";
  text += scenario.refresh ? "credentials = [{ oauth = { token_file = \"" + token_file +
                                 "\", token_url = " + here(token_port) +
                                 "/oauth/token\", client_id = \"understudy-demo\" } }]\n"
                           : "credentials = [{ value = \"the-leads-key\" }]\n";
  text += "\n[providers." + understudy + "]\nbase_url = " + here(understudy_port) + R"(/v1"
models.")" +
          model + R"(" = { context_window = 1000000 }
credentials = [{ value = "the-understudys-key" }]
)";
  text += agent ? "headers = { chatgpt-account-id = \"the-understudys-account\" }\n" : "";
  return text;
}

}  // namespace understudy::tool
