/// A provider that is reached by HTTP: any server that speaks one of the protocols.
///
/// Invariants
/// 1. Only what the user configured and what the request contains is sent: no client name of ours and no telemetry. A
///    client's headers pass as the catalog says. A credential is sent in one header only.
/// 2. A request is fitted to the service and the model (fit.hpp): in the provider's own protocol it keeps its bytes as
///    far as the service takes them; any other request is translated.
/// 3. Unless `stream` is false, the answer is streamed even if the caller asked for a whole answer, so that a stall can
///    be distinguished from a long answer. A server that still answers with one body is understood.
/// 4. The limits of the attempt cover every wait. Connections are closed abruptly.
///
///     HttpProvider anthropic(client, HttpProviderOptions("anthropic", Protocol::anthropic_messages,
///                                                        parse_url("https://api.anthropic.com").value()));
#pragma once

#include <memory>
#include <string>

#include "understudy/export.hpp"
#include "understudy/llm/authorization.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/forward.hpp"
#include "understudy/llm/learned_refusals.hpp"
#include "understudy/llm/model_profile.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/llm/provider.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"

namespace understudy::llm {

/// How a provider is reached.
class HttpProviderOptions {
 public:
  /// `url` has the form that the provider's own SDK expects: "https://api.anthropic.com",
  /// "https://api.openai.com/v1". The path of answers at its end is removed. If it has a query, every request has it too.
  HttpProviderOptions(std::string provider_name, Protocol speaks, Url url)
      : name(std::move(provider_name)),
        protocol(speaks),
        base_url(std::move(url)),
        authorization(traits_of(speaks).authorization) {}

  HttpProviderOptions& with_authorization(Authorization how) { return authorization = how, *this; }
  HttpProviderOptions& with_header(std::string_view field, std::string_view value) {
    return headers.add(field, value), *this;
  }
  HttpProviderOptions& with_stream(bool on) { return stream = on, *this; }
  /// Which service this is; it must live as long as the provider. See fit.hpp.
  HttpProviderOptions& with_back_end(const BackEnd* service) { return back_end = service, *this; }
  /// What is known about models. Default: the built-in catalog.
  HttpProviderOptions& with_catalog(std::shared_ptr<const Catalog> known) {
    return catalog = std::move(known), *this;
  }
  HttpProviderOptions& with_lessons(std::shared_ptr<LearnedRefusals> shared) {
    return lessons = std::move(shared), *this;
  }
  HttpProviderOptions& with_profiles(std::shared_ptr<const ModelProfiles> known) {
    return profiles = std::move(known), *this;
  }

  /// See FitTarget::user_salt.
  HttpProviderOptions& with_user_salt(std::string secret) {
    return user_salt = std::move(secret), *this;
  }

  std::string name;
  Protocol protocol;
  Url base_url;
  Authorization authorization;
  HttpFields headers;
  bool stream = true;                        ///< false: the provider cannot stream
  std::shared_ptr<LearnedRefusals> lessons;  ///< null: nothing is learned
  std::string user_salt;
  const BackEnd* back_end = nullptr;              ///< null: a server that is not known
  std::shared_ptr<const Catalog> catalog;         ///< null: the built-in one
  std::shared_ptr<const ModelProfiles> profiles;  ///< default: only the built-in table
};

/// See the top of the file. `client` must outlive the provider and every Stream that it has opened. Threads: a single
/// executor.
class UNDERSTUDY_API HttpProvider final : public Provider {
 public:
  HttpProvider(HttpClient& client, HttpProviderOptions options);

  asio::awaitable<Result<Stream>> open(const Request& request, Attempt& attempt) override;

  /// Returns whose reasoning the answers of this model have, whatever the account; see Request::home.
  ReasoningOrigin origin(const std::string& model) const;
  /// Whether the service binds reasoning to the account.
  bool binds_account() const noexcept {
    return options_.back_end != nullptr && options_.back_end->binds_account;
  }

  /// Sends `request` to `attempt.member()` without reading it (forward.hpp). Completes when the answer has begun, or is
  /// whole. Errors: classified, never marked for mending; `format_error` if the body says that it is JSON and is not an
  /// object. Cancellation: as for `open`. `request` and `attempt` must outlive the operation, but not the response.
  asio::awaitable<Result<ForwardedResponse>> forward(const ForwardedRequest& request,
                                                     Attempt& attempt);

 private:
  asio::awaitable<Result<Stream>> open_quietly(const Request& request, Attempt& attempt);
  asio::awaitable<Result<ForwardedResponse>> forward_quietly(const ForwardedRequest& request,
                                                             Attempt& attempt);
  void mended(Failure& failure, const Request& request, const Attempt& attempt) const;
  void note_headers(const Request& request, Attempt& attempt, const HttpFields& headers) const;
  void learn(const Request& request, const Attempt& attempt,
             const std::vector<std::string>& applied) const;

  HttpClient& client_;
  HttpProviderOptions options_;
};

}  // namespace understudy::llm
