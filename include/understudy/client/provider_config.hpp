/// A provider as the configuration describes it: its URL, how requests are sent to it, and its credentials.
///
/// Invariants
/// 1. Values that the file does not set are those of the preset of the same name, or of the preset that the file names.
/// 2. The only secrets are those that are written in the file itself: `ClientState` reads the others.
///
///     const ProviderConfig& provider = config.providers.at("anthropic");
///     std::cout << provider.name << ": " << provider.base_url_text << "\n";
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "understudy/failover/backoff.hpp"
#include "understudy/failover/retry_budget.hpp"
#include "understudy/failover/secret.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"
#include "understudy/runtime/stall_limits.hpp"
#include "understudy/text/source_errors.hpp"

namespace understudy {

/// Where a credential is read from.
class CredentialSource {
 public:
  /// The secret is in an environment variable.
  struct Env {
    std::string name;
  };
  /// The secret is a file's content.
  struct File {
    std::string path;
  };
  /// The secret itself.
  struct Value {
    Secret secret;
  };
  /// The tokens of a sign-in are in a file, and are refreshed.
  struct OAuth {
    std::string token_file;
    Url token_url;
    std::string client_id;
  };

  /// What a command prints; it is run again when the provider refuses that.
  struct Command {
    std::vector<std::string> arguments;  ///< the program first; never empty
  };

  /// The one that the client of a gateway has sent itself (RequestOptions::with_client_credential).
  struct Client {};

  std::variant<Env, File, Value, OAuth, Command, Client> from;
  text::SourcePlace place;
};

/// The configuration of a model. Values that are not set are those of the built-in table of models.
class ModelConfig {
 public:
  std::string family;  ///< a model of the catalog whose facts apply; empty: the name's own
  std::optional<std::uint64_t> context_window;
  std::optional<bool> accepts_prefill;
  std::optional<Clock::duration> reasoning_floor;
  StallSettings stall;
};

/// A provider that the file describes, or a preset that a chain uses.
class ProviderConfig {
 public:
  ProviderConfig(std::string n, llm::Protocol p, Url u)
      : name(std::move(n)), protocol(p), base_url(std::move(u)) {}

  std::string name;
  std::string preset;    ///< the preset that it is based on; empty: none
  std::string back_end;  ///< the id of its back end in the catalog; empty: the preset's
  text::SourcePlace back_end_place;
  llm::Protocol protocol;
  bool protocol_given = false;  ///< the file says which protocol; else the preset does
  Url base_url;
  std::string base_url_text;  ///< as written, without any secret, for reports
  llm::Authorization authorization = llm::Authorization::bearer;
  /// Empty: requests carry no credential (a local server). If the file has none, the preset's variable.
  std::vector<CredentialSource> credentials;
  /// Requests carry the client's own credential, if it has sent one that may go to this provider.
  bool takes_clients_credential() const noexcept {
    return std::any_of(credentials.begin(), credentials.end(), [](const CredentialSource& one) {
      return std::holds_alternative<CredentialSource::Client>(one.from);
    });
  }
  std::optional<std::size_t> max_concurrent;  ///< none: the configuration's
  HttpFields headers;
  std::string ca_file;  ///< empty: the system's certificates
  std::string proxy;    ///< empty: HTTPS_PROXY and the related variables apply
  bool stream = true;
  StallSettings stall;
  std::optional<BackoffSettings> backoff;  ///< none: the policy's
  std::optional<BudgetSettings> budget;    ///< none: the configuration's
  std::map<std::string, ModelConfig> models;
  text::SourcePlace place;
};

}  // namespace understudy
