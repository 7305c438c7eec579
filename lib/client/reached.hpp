/// The providers that a client reaches over HTTP, and what of their back ends concerns a whole chain.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "understudy/client/config.hpp"
#include "understudy/export.hpp"
#include "understudy/llm/http_provider.hpp"

namespace understudy::detail {

/// A provider over HTTP with the client that it needs.
class Reached {
 public:
  Reached(const asio::any_io_executor& executor, const HttpClientOptions& http,
          llm::HttpProviderOptions options)
      : protocol(options.protocol), client(executor, http), provider(client, std::move(options)) {}

  /// The same host by its Responses endpoint.
  void also_by_responses(llm::HttpProviderOptions options) {
    responses.emplace(client, std::move(options));
  }

  llm::Protocol protocol;
  HttpClient client;
  llm::HttpProvider provider;
  std::optional<llm::HttpProvider> responses;
};

using ReachedProviders = std::map<std::string, Reached>;

/// The back end of a provider for a protocol, or null if it is not known.
const llm::BackEnd* back_end_of(const llm::Catalog& catalog, const ProviderConfig& provider,
                                llm::Protocol protocol);

/// The back end that serves Responses at the address of a provider that is asked by Chat, or null. A protocol that the
/// user has written is the user's choice.
const llm::BackEnd* responses_back_end(const llm::Catalog& catalog, const ProviderConfig& provider);

/// What is known about the models of a configuration, with what it says itself.
UNDERSTUDY_API std::shared_ptr<const llm::ModelProfiles> profiles_of(const Config& config,
                                                                     const llm::Catalog& catalog);

/// Whether the credential of a client that speaks `protocol` may go to the back end (null: not known): the client's and the
/// service's protocols are of one maker, and a key that names its maker goes to that maker alone. `protocol`: nothing if
/// the caller has made the request itself.
bool may_get_credential(const llm::BackEnd* back_end, llm::Protocol provider,
                        std::optional<llm::Protocol> protocol, std::string_view secret);

/// By protocol; see homes_of.
using Homes = std::map<llm::Protocol, llm::ReasoningOrigin>;

/// A route of the configuration, with its members.
struct Route {
  Homes homes;
  std::string model;
  Chain chain;
  Policy policy;
  DeliverySettings delivery;
};

/// The member whose reasoning clients of a protocol get as it is (llm::Request::home): the first one that speaks the
/// protocol and whose model the protocol's maker has made, else the first one that speaks it, else none. Empty: the chain
/// has a provider of the caller's own, about which nothing is known.
Homes homes_of(const Chain& chain, const ReachedProviders& reached,
               const llm::ModelProfiles& profiles, const llm::Catalog& catalog);

}  // namespace understudy::detail
