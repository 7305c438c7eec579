/// What the clients of a program share: what is known of providers, how often they may be retried, and the
/// credentials.
///
/// One for a program; each io_context has a Client of its own. Beside failover's State, which knows of no
/// configuration, it has the credential pools: clients that read a token file each by itself would spend its
/// refresh token twice.
///
/// Invariants
/// 1. Credentials are read when it is made and at `reload`, and never else but by a refresh. What cannot be
///    read is an error that names the place in the configuration; a secret stands in none.
/// 2. A provider whose credentials are the same after a reload keeps its pool, and so what was learned of it.
/// 3. A credential that is another one after a reload has no mark.
/// 4. Any thread.
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
#include "understudy/export.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/net/http_client.hpp"

namespace understudy {

class ClientStateOptions {
 public:
  ClientStateOptions() noexcept {}

  ClientStateOptions& with_environment(Environment f) { return environment = std::move(f), *this; }
  ClientStateOptions& with_http(HttpClientOptions h) { return http = std::move(h), *this; }
  ClientStateOptions& with_seed(std::uint64_t s) { return seed = s, *this; }

  Environment environment;            ///< default: std::getenv
  std::optional<std::uint64_t> seed;  ///< of jitter; default: the machine's randomness
  HttpClientOptions http;  ///< what the configuration says nothing of: resolver, dialer, pool sizes
};

/// See the top of the file.
class UNDERSTUDY_API ClientState {
 public:
  using Made = boost::system::result<std::shared_ptr<ClientState>, ConfigErrors>;

  /// Reads the credentials of every provider in `config`. Errors: all that cannot be read.
  static Made make(const Config& config, ClientStateOptions options = ClientStateOptions());

  /// The same again for another configuration; with an error, all stays as it was. Clients that exist keep
  /// what they have. Retry budgets stay those of the first. Also an error: a provider's credentials are others
  /// now, and those of before have tokens that could not be written to their file yet.
  boost::system::result<void, ConfigErrors> reload(const Config& config);

  /// `told` hears of what is wrong though no call has failed by it, such as a token file that cannot be
  /// written; on any thread, one at a time, and never a secret. Replaces the one before; empty: none.
  void on_warning(std::function<void(std::string_view)> told);

  State& state() noexcept { return state_; }

  /// How many bytes of providers had come unread when their calls were cancelled, all in all.
  std::uint64_t bytes_after_cancel() const noexcept {
    return discarded_->load(std::memory_order_relaxed);
  }

  /// The provider's, or null where it has none.
  std::shared_ptr<CredentialPool> credentials(const std::string& provider) const;

  /// How the provider is reached: its CA file and its proxy, else the environment's.
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
  std::shared_ptr<std::atomic<std::uint64_t>> discarded_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<Warnings> warnings_ = std::make_shared<Warnings>();
  mutable std::mutex mutex_;
  Pools pools_;
};

}  // namespace understudy
