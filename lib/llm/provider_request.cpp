#include "provider_request.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carrier_edits.hpp"
#include "error_words.hpp"
#include "text/ascii.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/mend.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/llm/translate.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {
namespace {

constexpr std::string_view account_header = "chatgpt-account-id";
constexpr std::string_view long_context_beta = "context-1m";

/// Some makers' SDKs add the version to the base URL, others want it there. Here either works.
std::string target_of(const ProtocolTraits& traits, const Url& base, std::string_view below) {
  const auto query = std::min(base.path.find('?'), base.path.size());
  auto path = base.path.substr(0, query);
  while (path.ends_with('/')) {
    path.pop_back();
  }
  // Users paste the whole endpoint (opencodex#1582, LobsterAI#462, bifrost#6562).
  if (path.ends_with(traits.path)) {
    path.resize(path.size() - traits.path.size());
  }
  const bool versioned = path.ends_with("/v1");
  if (!versioned && (traits.base_url_without_version || path.empty())) {
    path += "/v1";
  }
  return path.append(below).append(base.path, query);
}

std::string json_string(std::string_view text) {
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
    case ThinkingStyle::none:
      names.emplace_back("thinking");
      names.emplace_back("effort");
      break;
    case ThinkingStyle::budget: names.emplace_back("effort"); break;
    case ThinkingStyle::adaptive:
    case ThinkingStyle::effort: names.emplace_back("budget_tokens"); break;
  }
  if (!profile.stop_sequences) {
    names.emplace_back("stop");
  }
  return names;
}

std::string in_lower_case(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(), text::lowered);
  return out;
}

/// The optional features that are asked for: the provider's own and the caller's, each once. `lean`: without those
/// for long contexts.
std::string all_features(const HttpProviderOptions& options, std::string_view callers, bool lean) {
  std::string all;
  const auto header = traits_of(options.protocol).features_header;
  if (header.empty()) {
    return all;
  }
  std::set<std::string> named;  // without regard to case, as has_token compares
  const std::string_view lists[] = {options.headers.find(header).value_or(""), callers};
  for (auto list : lists) {
    while (!list.empty()) {
      const auto comma = std::min(list.find(','), list.size());
      const auto word = trimmed(list.substr(0, comma));
      list.remove_prefix(std::min(comma + 1, list.size()));
      const bool wanted = !word.empty() && !(lean && word.starts_with(long_context_beta));
      if (wanted && named.insert(in_lower_case(word)).second) {
        all.append(all.empty() ? "" : ",").append(word);
      }
    }
  }
  return all;
}

/// All but the body.
HttpRequest head_of(const HttpProviderOptions& options, std::string_view below, bool streamed,
                    std::string_view betas, const Attempt& attempt) {
  const auto& traits = traits_of(options.protocol);
  HttpRequest out("POST", target_of(traits, options.base_url, below));
  out.with_fresh_connection(attempt.wants_fresh_connection());
  const auto* const credential = attempt.credential();
  const bool has_account = credential != nullptr && !credential->account.empty();
  for (std::size_t i = 0; i < options.headers.size(); ++i) {
    const auto [name, value] = options.headers[i];
    const bool ours =
        (!traits.features_header.empty() && has_token(name, traits.features_header)) ||
        (has_account && has_token(name, account_header));
    if (!ours) {
      out.with_header(name, value);
    }
  }
  const bool lean = attempt.mends().contains(FailoverReason::oauth_long_context_beta_forbidden);
  if (const auto all = all_features(options, betas, lean); !all.empty()) {
    out.with_header(traits.features_header, all);
  }
  const auto standard = [&](std::string_view name, std::string_view value) {
    if (!out.headers.find(name)) {
      out.with_header(name, value);
    }
  };
  standard("content-type", "application/json");
  standard("accept", streamed ? "text/event-stream" : "application/json");
  for (const auto& [name, value] : traits.headers) {
    standard(name, value);
  }
  if (credential != nullptr) {
    const std::string secret(credential->secret.reveal());
    switch (options.authorization) {
      case Authorization::bearer: out.with_header("authorization", "Bearer " + secret); break;
      case Authorization::x_api_key: out.with_header("x-api-key", secret); break;
      case Authorization::api_key: out.with_header("api-key", secret); break;
    }
  }
  if (has_account) {  // in place of a configured one: another credential's account would be refused
    out.with_header(account_header, credential->account);
  }
  return out;
}

/// The request in the provider's words. What its translation says goes into `prepared`.
std::string body_of(const HttpProviderOptions& options, const Request& request,
                    const Attempt& attempt, PreparedRequest& prepared) {
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
  const auto& traits = traits_of(options.protocol);
  if (request.origin == options.protocol && !request.body.empty() && !mended) {
    ExtraFields members{{"model", json_string(model)},
                        {"stream", options.stream ? "true" : "false"}};
    // A client that did not ask for a stream could not ask for its usage.
    if (const auto& usage = traits.stream_usage;
        !usage.name.empty() && options.stream && !request.stream) {
      members.emplace_back(usage.name, usage.value);
    }
    const auto opened = with_carriers_opened(request.body, ReasoningOrigin(options.name, model));
    if (auto body = with_members(opened ? *opened : request.body, members)) {
      return std::move(*body);
    }
  }
  Request sent = mended.value_or(request);
  sent.model = model;
  sent.stream = options.stream;
  sent.stream_usage = sent.stream_usage || !request.stream;
  const auto profile = options.profiles ? options.profiles->find(options.name, model)
                                        : ModelProfiles().find(options.name, model);
  sent.sealed_reasoning = profile.thinking != ThinkingStyle::none;
  TranslationTarget target(options.protocol, options.name, model);
  target.accepts_prefill = profile.accepts_prefill;
  target.output_limit = profile.output_limit;
  if (request.origin != options.protocol) {
    target.refused = refused(sent, profile);
  }
  auto translated = translate(sent, target);
  prepared.tools = std::move(translated.tools);
  prepared.unsupported = std::move(translated.unsupported);
  std::string body;
  traits.codec.write_request(translated.request, body);
  return body;
}

}  // namespace

PreparedRequest provider_request(const HttpProviderOptions& options, const Request& request,
                                 const Attempt& attempt) {
  const auto path = traits_of(options.protocol).path;
  PreparedRequest prepared{head_of(options, path, options.stream, request.betas, attempt), {}, {}};
  prepared.http.with_body(body_of(options, request, attempt, prepared));
  return prepared;
}

std::optional<HttpRequest> provider_request(const HttpProviderOptions& options,
                                            const ForwardedRequest& request,
                                            const Attempt& attempt) {
  ExtraFields members;
  if (!request.own_model) {
    members.emplace_back("model", json_string(attempt.member().model()));
  }
  auto body = with_members(request.body, members);
  if (!body) {
    return std::nullopt;
  }
  return head_of(options, request.below, false, request.betas, attempt).with_body(std::move(*body));
}

bool can_mend(const HttpProviderOptions& options, const Request& request, FailoverReason reason) {
  if (reason == FailoverReason::oauth_long_context_beta_forbidden) {
    return all_features(options, request.betas, true) !=
           all_features(options, request.betas, false);
  }
  Request copy = request;
  return mend(copy, reason);
}

}  // namespace understudy::llm::detail
