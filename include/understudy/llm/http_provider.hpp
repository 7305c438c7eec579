/// A provider over HTTP: any server that speaks one of the protocols.
///
/// Invariants
/// 1. What is sent is what the user has configured and the request says, nothing else: no client's name,
///    no telemetry. A credential goes into one header, and nowhere else.
/// 2. A request of the provider's own protocol goes as it came but for model and streaming, so that fields
///    unknown here survive; any other is translated (translate.hpp).
/// 3. The answer is streamed whatever the caller asked for, so that a stall can be told from a long
///    answer, unless `stream` is false. A server that answers whole all the same is understood.
/// 4. An attempt's clocks see every wait. Closing is abrupt.
///
///     HttpProvider anthropic(client, HttpProviderOptions("anthropic", Protocol::anthropic_messages,
///                                                        parse_url("https://api.anthropic.com").value()));
#pragma once

#include <memory>
#include <string>

#include "understudy/export.hpp"
#include "understudy/llm/authorization.hpp"
#include "understudy/llm/model_profile.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/llm/provider.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"

namespace understudy::llm {

class HttpProviderOptions {
 public:
  /// `base_url` as the providers' own SDKs want it: "https://api.anthropic.com",
  /// "https://api.openai.com/v1". A query in it is sent along.
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
  HttpProviderOptions& with_profiles(std::shared_ptr<const ModelProfiles> known) {
    return profiles = std::move(known), *this;
  }

  std::string name;
  Protocol protocol;
  Url base_url;
  Authorization authorization;
  HttpFields headers;
  bool stream = true;                             ///< false: the provider cannot
  std::shared_ptr<const ModelProfiles> profiles;  ///< default: the table alone
};

/// A request for something that is not read here, such as "/embeddings": it goes as it came, but for its model.
class ForwardedRequest {
 public:
  ForwardedRequest(std::string path, std::string json)
      : below(std::move(path)), body(std::move(json)) {}

  /// The model that the body names is sent, in place of the member's.
  ForwardedRequest& with_own_model(bool on = true) { return own_model = on, *this; }
  /// As Request::betas.
  ForwardedRequest& with_betas(std::string names) { return betas = std::move(names), *this; }

  std::string below;  ///< the path below the base URL and its version
  std::string body;   ///< a JSON object
  std::string betas;
  bool own_model = false;
};

/// See the top of the file. `client` must outlive it and every Stream that it has opened.
class UNDERSTUDY_API HttpProvider final : public Provider {
 public:
  HttpProvider(HttpClient& client, HttpProviderOptions options);

  asio::awaitable<Result<Stream>> open(const Request& request, Attempt& attempt) override;

  /// Completes with the body of the answer, which is whole and JSON (the limit is whole_answer's). Errors:
  /// classified, but never to be mended; `format_error` where the request is no JSON object. Cancellation and
  /// lifetimes: as for `open`.
  asio::awaitable<Result<std::string>> forward(const ForwardedRequest& request, Attempt& attempt);

 private:
  asio::awaitable<Result<Stream>> open_quietly(const Request& request, Attempt& attempt);
  asio::awaitable<Result<std::string>> forward_quietly(const ForwardedRequest& request,
                                                       Attempt& attempt);
  void mended(Failure& failure, const Request& request, const Attempt& attempt) const;

  HttpClient& client_;
  HttpProviderOptions options_;
};

}  // namespace understudy::llm
