#include "understudy/llm/http_provider.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "http_stream.hpp"
#include "understudy/json_writer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/mend.hpp"
#include "understudy/llm/translate.hpp"
#include "understudy/runtime/race.hpp"

namespace understudy {
namespace {

/// Where a protocol's answers are asked for, below the base URL.
std::string_view resource(Protocol protocol) {
  switch (protocol) {
    case Protocol::anthropic_messages: return "/messages";
    case Protocol::openai_chat: return "/chat/completions";
    case Protocol::openai_responses: return "/responses";
  }
  return {};
}

/// Anthropic's SDKs add the version to the base URL, OpenAI's want it there. Here either does.
std::string target_of(Protocol protocol, const Url& base) {
  const auto query = std::min(base.path.find('?'), base.path.size());
  auto path = base.path.substr(0, query);
  while (path.ends_with('/')) {
    path.pop_back();
  }
  const bool versioned = path.ends_with("/v1");
  if (!versioned && (protocol == Protocol::anthropic_messages || path.empty())) {
    path += "/v1";
  }
  return path.append(resource(protocol)).append(base.path, query);
}

std::string quoted(std::string_view text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

/// What the model does not take, where the caller did not speak this protocol and so cannot have known.
std::vector<std::string> refused(const Request& request, const ModelProfile& profile) {
  std::vector<std::string> names;
  switch (profile.sampling) {
    case SamplingRule::any: break;
    case SamplingRule::one_of:
      if (request.sampling.temperature) {
        names.emplace_back("top_p");
      }
      break;
    case SamplingRule::refused: names = {"temperature", "top_p", "top_k"}; break;
  }
  switch (profile.thinking) {
    case ThinkingStyle::unknown: break;
    case ThinkingStyle::none: names.emplace_back("thinking"); break;
    case ThinkingStyle::budget: names.emplace_back("effort"); break;
    case ThinkingStyle::adaptive:
    case ThinkingStyle::effort: names.emplace_back("budget_tokens"); break;
  }
  if (!profile.stop_sequences) {
    names.emplace_back("stop");
  }
  return names;
}

constexpr std::string_view long_context_beta = "context-1m";

/// A list of words, without those that begin so.
std::string without_words(std::string_view list, std::string_view prefix) {
  std::string kept;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto word = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    if (!word.empty() && !word.starts_with(prefix)) {
      kept.append(kept.empty() ? "" : ",").append(word);
    }
  }
  return kept;
}

/// What an error status says, as far as it comes in time: that is what counts (design.md 4).
asio::awaitable<std::string> error_body(HttpResponse& response, Clock::duration limit) {
  std::string body;
  const auto read = [&]() -> asio::awaitable<void> {
    while (body.size() < classify_body_limit) {
      const auto part = co_await response.read();
      if (part.has_error() || part->empty()) {
        co_return;
      }
      body += *part;
    }
  };
  const auto too_long = [limit] { return sleep_for(limit); };
  co_await race(read, too_long);
  body.resize(std::min(body.size(), classify_body_limit));
  co_return body;
}

/// The attempt must not ask a stream that is gone.
class ForgetReadiness {
 public:
  explicit ForgetReadiness(Attempt& attempt) noexcept : attempt_(attempt) {}
  ForgetReadiness(const ForgetReadiness&) = delete;
  ForgetReadiness& operator=(const ForgetReadiness&) = delete;
  ~ForgetReadiness() { attempt_.ready_by({}); }

 private:
  Attempt& attempt_;
};

}  // namespace

HttpProvider::HttpProvider(HttpClient& client, HttpProviderOptions options)
    : client_(client),
      options_(std::move(options)),
      target_(target_of(options_.protocol, options_.base_url)) {}

HttpRequest HttpProvider::prepare(const Request& request, const Attempt& attempt) const {
  HttpRequest out("POST", target_);
  const bool lean = attempt.mends().contains(FailoverReason::oauth_long_context_beta_forbidden);
  for (std::size_t i = 0; i < options_.headers.size(); ++i) {
    const auto [name, value] = options_.headers[i];
    const auto sent = lean && has_token(name, "anthropic-beta")
                          ? without_words(value, long_context_beta)
                          : std::string(value);
    if (!sent.empty()) {
      out.with_header(name, sent);
    }
  }
  const auto standard = [&](std::string_view name, std::string_view value) {
    if (!out.headers.find(name)) {
      out.with_header(name, value);
    }
  };
  standard("content-type", "application/json");
  standard("accept", options_.stream ? "text/event-stream" : "application/json");
  if (options_.protocol == Protocol::anthropic_messages) {
    standard("anthropic-version", "2023-06-01");  // reference wire.md 2.1
  }
  if (const auto* credential = attempt.credential()) {
    const std::string secret(credential->secret.reveal());
    switch (options_.authorization) {
      case Authorization::bearer: out.with_header("authorization", "Bearer " + secret); break;
      case Authorization::x_api_key: out.with_header("x-api-key", secret); break;
      case Authorization::api_key: out.with_header("api-key", secret); break;
    }
  }

  std::optional<Request> mended;
  for (const auto& row : all_reasons()) {
    if (attempt.mends().contains(row.reason)) {
      Request copy = mended ? *mended : request;
      if (mend(copy, row.reason)) {
        mended = std::move(copy);
      }
    }
  }
  const auto& model = attempt.member().model();
  const bool asks_for_usage = options_.protocol == Protocol::openai_chat && options_.stream;
  if (request.origin == options_.protocol && !request.body.empty() && !mended) {
    ExtraFields members{{"model", quoted(model)}, {"stream", options_.stream ? "true" : "false"}};
    if (asks_for_usage && !request.stream) {  // who did not ask for a stream did not say
      members.emplace_back("stream_options", R"({"include_usage":true})");
    }
    if (auto body = with_members(request.body, members)) {
      out.with_body(std::move(*body));
      return out;
    }
  }
  Request sent = mended.value_or(request);
  sent.model = model;
  sent.stream = options_.stream;
  sent.stream_usage = sent.stream_usage || !request.stream;
  const auto profile = options_.profiles ? options_.profiles->find(options_.name, model)
                                         : ModelProfiles().find(options_.name, model);
  TranslationTarget target(options_.protocol, options_.name, model);
  target.accepts_prefill = profile.accepts_prefill;
  target.output_limit = profile.output_limit;
  if (request.origin != options_.protocol) {
    target.refused = refused(sent, profile);
  }
  const auto translated = translate(sent, target);
  std::string body;
  codec_for(options_.protocol).write_request(translated.request, body);
  out.with_body(std::move(body));
  return out;
}

/// Says of a failure that this very request can be mended for it.
void HttpProvider::mended(Failure& failure, const Request& request, const Attempt& attempt) const {
  const auto reason = reason_of(failure.code());
  if (!reason || attempt.mends().contains(*reason)) {
    return;
  }
  if (*reason == FailoverReason::oauth_long_context_beta_forbidden) {
    const auto betas = options_.headers.find("anthropic-beta").value_or("");
    if (betas.find(long_context_beta) != std::string_view::npos) {
      failure.with_mend();
    }
    return;
  }
  Request copy = request;
  if (mend(copy, *reason)) {
    failure.with_mend();
  }
}

/// Under the attempt's cancel nothing throws on the way up from the socket: a stall would cost two exceptions
/// and all the frames between (design.md 4, Errors). The caller's own awaits throw as before.
asio::awaitable<Result<Stream>> HttpProvider::open(const Request& request, Attempt& attempt) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  std::optional<Result<Stream>> opened;
  std::exception_ptr thrown;
  try {
    opened.emplace(co_await open_quietly(request, attempt));
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  co_return std::move(*opened);
}

asio::awaitable<Result<Stream>> HttpProvider::open_quietly(const Request& request,
                                                           Attempt& attempt) {
  detail::CallFacts facts(request, attempt.member());
  auto source =
      std::make_unique<detail::HttpStream>(attempt, facts, options_.protocol, !options_.stream);
  const ForgetReadiness afterwards(attempt);
  const auto prepared = prepare(request, attempt);
  auto response = co_await client_.send(options_.base_url.endpoint, prepared, source->observer());
  if (response.has_error()) {
    co_return detail::failure_of(response.error(), facts);
  }
  const auto status = response->status();
  if (status < 200 || status >= 300) {
    // The attempt's own clock for this phase would end it, and lose what came.
    const auto limit = attempt.limits().error_body.after;
    attempt.enter(Phase::none);
    const auto body = co_await error_body(*response, limit);
    std::vector<HeaderField> headers;
    headers.reserve(response->headers().size());
    for (std::size_t i = 0; i < response->headers().size(); ++i) {
      headers.push_back(response->headers()[i]);
    }
    auto failure = detail::failure_of(
        facts.error().with_status(static_cast<int>(status)).with_headers(headers).with_body(body));
    mended(failure, request, attempt);
    co_return failure;
  }
  auto opened = co_await source->open(attempt, std::move(*response));
  if (opened.has_error()) {
    auto failure = opened.error();
    mended(failure, request, attempt);
    co_return failure;
  }
  co_return Stream(std::move(source));
}

}  // namespace understudy
