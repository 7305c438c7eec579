#include "provider_request.hpp"

#include "carrier_edits.hpp"
#include "passed_headers.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "comma_list.hpp"
#include "fit/short_ids.hpp"
#include "text/ascii.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/fit.hpp"
#include "understudy/llm/mend.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/llm/refused_part.hpp"

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

/// A name as a step of a path: Vertex has dates after an `@`, which stays as it is.
std::string path_step(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (text::is_lower(c) || text::is_upper(c) || text::is_digit(c) ||
        std::string_view("-._~@").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out.append(1, '%').append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
  }
  return out;
}

/// Where Vertex serves what is at `below` elsewhere (Claude docs: Claude on Vertex AI).
std::string target_with_model(const Url& base, std::string_view model, std::string_view below,
                              bool streamed) {
  const auto query = std::min(base.path.find('?'), base.path.size());
  auto path = base.path.substr(0, query);
  while (path.ends_with('/')) {
    path.pop_back();
  }
  if (below.ends_with("/count_tokens")) {
    path += "/count-tokens:rawPredict";
  } else {
    path.append("/")
        .append(path_step(model))
        .append(streamed ? ":streamRawPredict" : ":rawPredict");
  }
  return path.append(base.path, query);
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
  for (const auto list : lists) {
    each_word(list, [&](std::string_view word) {
      const bool wanted = !(lean && word.starts_with(long_context_beta));
      if (wanted && named.insert(text::in_lower_case(word)).second) {
        all.append(all.empty() ? "" : ",").append(word);
      }
    });
  }
  return all;
}

/// Claude's setup and sign-in tokens: the service wants them as Bearer and with a beta (docs/backends.md 2).
bool is_sign_in(std::string_view secret) { return secret.starts_with("sk-ant-oat"); }
constexpr std::string_view sign_in_beta = "oauth-2025-04-20";

bool has_model_in_path(const HttpProviderOptions& options) {
  return options.back_end != nullptr && options.back_end->model_in_path;
}

std::string target(const HttpProviderOptions& options, std::string_view below, bool streamed,
                   const Attempt& attempt) {
  return has_model_in_path(options)
             ? target_with_model(options.base_url, attempt.member().model(), below, streamed)
             : target_of(traits_of(options.protocol), options.base_url, below);
}

/// The request with everything but its body. `passed`: the client's headers, or null if none of them pass.
HttpRequest head_of(const HttpProviderOptions& options, HttpRequest out, bool streamed,
                    std::string_view features, const HeaderList* passed, const Attempt& attempt) {
  const auto& traits = traits_of(options.protocol);
  out.with_fresh_connection(attempt.wants_fresh_connection());
  const auto* const credential = attempt.credential();
  const bool has_account = credential != nullptr && !credential->account.empty();
  for (std::size_t i = 0; i < options.headers.size(); ++i) {
    const auto [name, value] = options.headers[i];
    const bool ours =
        (!traits.features_header.empty() && has_token(name, traits.features_header)) ||
        (has_account && has_token(name, account_header));
    // A forwarded request's own: only its sender knows the form of its body.
    const bool of_request =
        (has_token(name, "content-type") || has_token(name, "accept")) && out.headers.find(name);
    if (!ours && !of_request) {
      out.with_header(name, value);
    }
  }
  if (!features.empty()) {
    out.with_header(traits.features_header, features);
  }
  if (passed != nullptr && options.back_end != nullptr) {
    pass_to_provider(out, *options.back_end, *passed, issuer_of(options, credential));
  }
  const auto standard = [&](std::string_view name, std::string_view value) {
    if (!out.headers.find(name)) {
      out.with_header(name, value);
    }
  };
  if (out.method == "POST") {
    standard("content-type", "application/json");
  }
  standard("accept", streamed ? "text/event-stream" : "application/json");
  for (const auto& [name, value] : traits.headers) {
    if (!has_model_in_path(options)) {  // there the version is in the body
      standard(name, value);
    }
  }
  if (credential != nullptr) {
    const std::string secret(credential->secret.reveal());
    switch (options.authorization) {
      case Authorization::bearer: out.with_header("authorization", "Bearer " + secret); break;
      case Authorization::x_api_key:
        if (is_sign_in(secret)) {
          out.with_header("authorization", "Bearer " + secret);
        } else {
          out.with_header("x-api-key", secret);
        }
        break;
      case Authorization::api_key: out.with_header("api-key", secret); break;
    }
  }
  if (has_account) {  // in place of a configured one: another credential's account would be refused
    out.with_header(account_header, credential->account);
  }
  return out;
}

std::string features_of(const HttpProviderOptions& options, std::string_view betas,
                        const Attempt& attempt) {
  std::string callers(betas);
  const auto* const credential = attempt.credential();
  if (credential != nullptr && is_sign_in(credential->secret.reveal())) {
    callers.append(callers.empty() ? "" : ",").append(sign_in_beta);
  }
  return all_features(options, callers,
                      attempt.mends().contains(FailoverReason::oauth_long_context_beta_forbidden));
}

/// Tells accounts from each other, and says nothing else.
std::string account_hash(const HttpProviderOptions& options, const CredentialUse& credential) {
  const auto account =
      credential.account.empty() ? std::string(credential.secret.reveal()) : credential.account;
  const auto digest = short_id(options.user_salt + '\0' + account, 2 * account_hash_size);
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digest.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digest.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// The request, mended for the attempt, as its target takes it.
Fitted fitted(const HttpProviderOptions& options, const Request& request, const Attempt& attempt,
              const ReasoningOrigin& origin, std::vector<std::string>& mends) {
  std::optional<Request> mended;
  for (const auto& row : all_reasons()) {
    if (attempt.mends().contains(row.reason)) {
      Request copy = mended ? *mended : request;
      if (mend(copy, row.reason)) {
        mended = std::move(copy);
        mended->body.clear();
      }
    }
  }
  const auto& model = attempt.member().model();
  FitTarget target(options.protocol, options.name, model);
  target.back_end = options.back_end;
  target.stream = options.stream;
  target.user_salt = options.user_salt;
  target.maker = origin.maker;
  target.account = origin.account;
  if (options.profiles != nullptr) {
    const auto profile = options.profiles->find(options.name, model);
    target.accepts_prefill = profile.accepts_prefill;
    target.prefill = profile.prefill;
    target.context_window = profile.context_window;
    target.family = profile.family;
  }
  if (options.catalog) {
    target.catalog = options.catalog.get();
  }
  if (options.lessons) {
    target.mends = options.lessons->mends(lesson_key(options, request, attempt));
  }
  const auto& named = attempt.named_mends();
  std::copy_if(named.begin(), named.end(), std::back_inserter(target.mends), is_part_mend);
  target.betas = features_of(options, request.betas, attempt);
  mends = target.mends;
  return fit(mended ? *mended : request, target);
}

/// What the model works with and on, as opposed to how it works.
bool is_substance(std::string_view about) {
  return about == "tool" || about == "message" || about == "content";
}

}  // namespace

std::string issuer_of(const HttpProviderOptions& options, const CredentialUse* credential) {
  const auto account = credential != nullptr ? account_hash(options, *credential) : std::string();
  return short_id(options.name + '\0' + account, 2 * account_hash_size);
}

ReasoningOrigin reasoning_origin(const HttpProviderOptions& options, const std::string& model,
                                 const CredentialUse* credential) {
  ReasoningOrigin origin(options.name, model);
  const auto& catalog = options.catalog ? *options.catalog : Catalog::built_in();
  std::string family;
  if (options.profiles != nullptr) {
    family = options.profiles->find(options.name, model).family;
  }
  const auto* const back_end = options.back_end;
  if (options.protocol == Protocol::anthropic_messages) {
    constexpr std::string_view anthropic = "anthropic";
    const bool owner = back_end != nullptr && back_end->owner;
    if (owner || catalog.model(family.empty() ? model : family).maker == anthropic) {
      origin.maker = anthropic;
    }
  }
  if (back_end != nullptr && back_end->binds_account && credential != nullptr) {
    origin.account = account_hash(options, *credential);
  }
  return origin;
}

PreparedRequest provider_request(const HttpProviderOptions& options, const Request& request,
                                 Attempt& attempt) {
  std::vector<std::string> mends;
  auto origin = reasoning_origin(options, attempt.member().model(), attempt.credential());
  origin.home =
      request.origin == options.protocol && (!request.home || reads(origin, *request.home));
  auto sent = fitted(options, request, attempt, origin, mends);
  std::vector<RequestLoss> losses;
  std::string lost;
  for (auto& loss : sent.losses) {
    if (lost.empty() && loss.kind == Loss::Kind::dropped && is_substance(about(loss))) {
      lost = loss.what;
    }
    losses.emplace_back(to_string(loss.kind), about(loss), std::move(loss.what));
  }
  attempt.lost(std::move(losses));
  attempt.restored(sent.restored);
  const bool same = request.origin && same_family(*request.origin, options.protocol);
  const auto path = target(options, traits_of(options.protocol).path, options.stream, attempt);
  auto http = head_of(options, HttpRequest("POST", path), options.stream, sent.betas,
                      same ? &request.client_headers : nullptr, attempt);
  http.with_body(std::move(sent.body));
  return {std::move(http),
          std::move(mends),
          std::move(lost),
          std::move(sent.tools),
          std::move(sent.unsupported),
          std::move(origin)};
}

std::optional<HttpRequest> provider_request(const HttpProviderOptions& options,
                                            const ForwardedRequest& request,
                                            const Attempt& attempt) {
  std::optional<std::string> body = request.body;
  const bool is_json = request.content_type.starts_with("application/json");
  if (is_json && !request.own_model && !request.body.empty()) {
    body = with_members(request.body,
                        {{std::string("model"), json::quoted(attempt.member().model())}});
  }
  if (!body) {
    return std::nullopt;
  }
  if (is_json) {
    const auto to = reasoning_origin(options, attempt.member().model(), attempt.credential());
    if (auto opened = with_carriers_opened(*body, options.protocol, to)) {
      body = std::move(opened->body);
    }
  }
  auto path = target(options, request.below, false, attempt);
  if (!request.query.empty()) {
    path.append(path.find('?') == std::string::npos ? "?" : "&").append(request.query);
  }
  HttpRequest out(request.method, std::move(path));
  if (!request.body.empty()) {
    out.with_header("content-type", request.content_type);
  }
  out.with_header("accept", request.accept);
  const auto features = features_of(options, request.betas, attempt);
  return head_of(options, std::move(out), false, features, &request.client_headers, attempt)
      .with_body(std::move(*body));
}

std::string lesson_key(const HttpProviderOptions& options, const Request& request,
                       const Attempt& attempt) {
  return condition_of(options.name, attempt.member().model(), request.thinking.effort,
                      !request.tools.empty());
}

Failure capability_failure(const HttpProviderOptions& options, const Request& request,
                           const Attempt& attempt, Failure failure, int status,
                           std::string_view body, std::string_view sent) {
  // A client's request that was translated, or sent to another model than it names.
  const bool adapted = request.origin && (request.origin != options.protocol ||
                                          request.model != attempt.member().model());
  const bool wrong = failure.code() == FailoverReason::format_error;
  const auto part = refused_part(status, body);
  if (part && part->kind == RefusedPart::Kind::binding) {
    if (without_part(sent, part->mend())) {
      failure.with_mend(part->mend());
    } else if (has_part(request.body, part->path)) {  // the client wants this error
      return Failure(FailoverReason::format_error, failure.message());
    }
    return failure;
  }
  // These are said with another status, or sound like a prompt that is too long.
  const bool misleading =
      part && (part->kind == RefusedPart::Kind::order || part->kind == RefusedPart::Kind::limit);
  if (!wrong && !(misleading && without_part(sent, part->mend()))) {
    return failure;
  }
  if (!part && !adapted && !is_capability_refusal(status, body)) {
    return failure;
  }
  const bool clients = part && has_part(request.body, part->path);
  if (part && clients && part->kind != RefusedPart::Kind::parameter && !adapted) {
    return failure;  // the client's own value, at the model that it asked for
  }
  if (const auto* const used = attempt.credential()) {
    failure.without(used->secret);  // now: only what a Failure shows of the words is kept
  }
  std::string words = failure.message();
  if (part && !clients &&
      !misleading) {  // a client cannot act on what a provider says about our translation
    words = attempt.member().name() + " does not support `" + part->path +
            "`, which its translation of the request contains";
  }
  Failure unsupported(FailoverReason::unsupported_request, words);
  if (part && without_part(sent, part->mend())) {
    unsupported.with_mend(part->mend());
  }
  return unsupported;
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
