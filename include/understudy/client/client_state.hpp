/// The state that the clients of a program share: the health of providers, retry budgets, and credentials.
///
/// A program has one ClientState, and a Client for each io_context. In addition to failover's State, which does not
/// depend on a configuration, it has the credential pools: clients that read the same token file independently would
/// spend its refresh token twice.
///
/// Invariants
/// 1. Credentials are read by `make` and `reload`, and otherwise only by a refresh. A credential that cannot be read is
///    an error that names the place in the configuration. Errors never contain a secret.
/// 2. A provider whose credentials are the same after a reload keeps its pool, including what the pool has learned.
/// 3. A credential that a reload has changed has no mark.
/// 4. All functions may be called from any thread.
///
///     auto state = ClientState::make(config).value();
///     Client client(executor, config, state);
#pragma once

#include <atomic>
#include <boost/system/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/config.hpp"
#include "understudy/client/sessions.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/learned_refusals.hpp"
#include "understudy/net/http_client.hpp"

namespace understudy {

/// Options of a ClientState.
class ClientStateOptions {
 public:
  ClientStateOptions() noexcept {}

  ClientStateOptions& with_environment(Environment f) { return environment = std::move(f), *this; }
  ClientStateOptions& with_http(HttpClientOptions h) { return http = std::move(h), *this; }
  ClientStateOptions& with_seed(std::uint64_t s) { return seed = s, *this; }

  Environment environment;            ///< default: std::getenv
  std::optional<std::uint64_t> seed;  ///< of jitter; default: random
  HttpClientOptions
      http;  ///< settings that are not in the configuration: resolver, dialer, pool sizes
};

/// See the top of the file.
class UNDERSTUDY_API ClientState {
 public:
  /// The state, or what is wrong with the configuration.
  using Made = boost::system::result<std::shared_ptr<ClientState>, ConfigErrors>;

  /// Reads the credentials of every provider in `config` and the files of its `[catalog]`, blocking. Errors: every
  /// credential that cannot be read, every invalid proxy, and everything that is wrong in the files.
  static Made make(const Config& config, ClientStateOptions options = ClientStateOptions());

  /// Reads the credentials of another configuration, blocking. Existing clients keep their credentials; retry budgets
  /// keep the settings of the first configuration. Errors: as for `make`, and a provider whose credentials have changed
  /// while tokens of the previous ones have not been written to their file yet. After an error, nothing has changed.
  boost::system::result<void, ConfigErrors> reload(const Config& config);

  /// Sets the function that gets warnings about problems that fail no call, such as a token file that cannot be
  /// written. It is called on any thread, one call at a time; warnings never contain a secret. It replaces the previous
  /// function; an empty function disables warnings.
  void on_warning(std::function<void(std::string_view)> told);

  /// Health, budgets and quotas.
  State& state() noexcept { return state_; }

  /// Returns what is known about back ends and models: the built-in catalog with the files of the last configuration.
  /// Never null; the next `reload` replaces it.
  std::shared_ptr<const llm::Catalog> catalog() const;

  /// What is remembered of conversations.
  Sessions& sessions() noexcept { return sessions_; }

  /// Returns what members were found not to support. Never null.
  const std::shared_ptr<llm::LearnedRefusals>& lessons() const noexcept { return lessons_; }

  /// Returns the total number of bytes from providers that had arrived, but had not been read, when their calls were
  /// cancelled.
  std::uint64_t bytes_after_cancel() const noexcept {
    return discarded_->load(std::memory_order_relaxed);
  }

  /// Returns the credentials of a provider, or null if it has none.
  std::shared_ptr<CredentialPool> credentials(const std::string& provider) const;

  /// Returns the credentials of all providers.
  std::vector<std::shared_ptr<CredentialPool>> all_credentials() const;

  /// Returns the HTTP options for a provider, with its CA file and its proxy, or the environment's proxy.
  HttpClientOptions http(const ProviderConfig& provider) const;

 private:
  struct Pool {
    std::vector<std::string> sources;  // as they are configured, no secret among them
    std::vector<Secret> secrets;       // as they were read
    std::shared_ptr<CredentialPool> pool;
  };
  using Pools = std::map<std::string, Pool>;
  struct Warnings {
    std::mutex mutex;
    std::function<void(std::string_view)> told;
  };

  ClientState(const BudgetSettings& budget, ClientStateOptions options);
  void read(const Config& config, const ProviderConfig& provider, Pools& pools,
            ConfigErrors& errors) const;

  ClientStateOptions options_;
  State state_;
  Sessions sessions_;
  std::shared_ptr<std::atomic<std::uint64_t>> discarded_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<Warnings> warnings_ = std::make_shared<Warnings>();
  std::shared_ptr<llm::LearnedRefusals> lessons_ = std::make_shared<llm::LearnedRefusals>();
  mutable std::mutex mutex_;
  Pools pools_;
  std::shared_ptr<const llm::Catalog> catalog_;
  // Of the last configuration.
  std::shared_ptr<TlsContextCache> tls_contexts_ = std::make_shared<TlsContextCache>();
};

}  // namespace understudy
