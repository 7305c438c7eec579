/// What an agent must know about a gateway: its address, whether it asks for a key, and its models.
///
/// Invariants
/// 1. The address is one that a client on this machine can open: without /v1, without a slash at the end, and with
///    127.0.0.1 in place of an address that means all of the machine's.
/// 2. A model's window is that of the smallest member of its chain: a session that fits it fits whoever takes over.
///    It is known only if those of all members are.
///
///     const auto facts = gateway_facts(config, profiles, "").value();
///     facts.url;                                // "http://127.0.0.1:8080"
///     facts.window_of_models("claude").tokens;  // 200'000
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source_result.hpp"
#include "understudy/client/config.hpp"
#include "understudy/failover/secret.hpp"
#include "understudy/llm/model_profile.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::tool {

/// Tokens, prompt and answer together, that every member takes; none if one of `unknown` is among them.
class Window {
 public:
  std::optional<std::uint64_t> tokens;
  std::vector<std::string> unknown;  ///< members whose window nobody has named: "local/qwen3"
};

/// A model that requests can name.
class ServedModel {
 public:
  std::string name;
  bool main = false;  ///< its chain also answers requests for models that no route has
  Window window;
};

/// See the top of the file. A value.
class GatewayFacts {
 public:
  enum class Keys : unsigned char {
    none,     ///< every client may come
    needed,   ///< `key` is one of them
    unknown,  ///< no configuration was read
  };

  /// The window of all chains that may answer a request for a model whose name begins with `prefix`.
  Window window_of_models(std::string_view prefix) const;
  /// The model that an agent asks for if the user chooses none, or null if none is known.
  const ServedModel* first_model() const;

  std::string url;
  Keys keys = Keys::unknown;
  Secret key;
  std::vector<ServedModel> models;  ///< the main chain's before those of routes
  llm::Protocol protocol =
      llm::Protocol::openai_chat;  ///< of the first member: it gets requests as they are
};

/// Errors: an address that is not known before the gateway runs (port 0), and a `url` that is none. An empty `url`:
/// that of the configuration.
SourceResult<GatewayFacts> gateway_facts(const Config& config, const llm::ModelProfiles& profiles,
                                         std::string_view url);

/// All that is known of a gateway without its configuration.
SourceResult<GatewayFacts> gateway_facts(std::string_view url);

}  // namespace understudy::tool
