/// Reads the configuration, a TOML file, into typed values, and reports all errors in it at once.
///
/// Invariants
/// 1. The keys are those of docs/configuration.md. An unknown key, a value of the wrong type or an invalid value is an
///    error that states the place, the problem, and a suggestion.
/// 2. Durations are strings with a unit ("180s", "750ms", "2m"). A bare number in the environment is seconds.
/// 3. Only the text and the environment are read. Credentials are read by `ClientState` (client_state.hpp), so a Config
///    contains only secrets that are written in the file itself.
///
///     auto config = load_config("understudy.toml");
///     if (config.has_error()) { std::cerr << to_string(config.error()); }
#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/client/delivery_settings.hpp"
#include "understudy/client/provider_config.hpp"
#include "understudy/client/server_config.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/retry_budget.hpp"
#include "understudy/text/source_errors.hpp"

namespace understudy {

/// A line and a column of a configuration file.
using ConfigPlace = text::SourcePlace;
/// What is wrong at one place of a configuration file.
using ConfigError = text::SourceError;
/// All that is wrong with a configuration file.
using ConfigErrors = text::SourceErrors;

/// A member of a chain.
class MemberConfig {
 public:
  std::string provider;  ///< a key of Config::providers
  std::string model;
  ConfigPlace place;
};

/// A chain, and the settings of calls to it: those of the route, else those of `[fallback]` and `[stall]`.
class RouteConfig {
 public:
  std::string model;  ///< the model in requests; empty in the main route, which serves all others
  std::vector<MemberConfig> chain;
  Policy policy;
  DeliverySettings delivery;
  ConfigPlace place;
};

/// How reasoning travels through a client that does not speak its maker's protocol.
class ReasoningConfig {
 public:
  /// Whether reasoning is carried across providers.
  enum class Carry : unsigned char {
    client,  ///< in fields that the client sends back unread (llm/carrier.hpp)
    off,     ///< not at all: the client gets only the reasoning of its home (llm::Request::home)
  };

  Carry carry = Carry::client;
};

/// Files that add to the catalog of back ends and models, or override it. `ClientState` reads them.
class CatalogConfig {
 public:
  std::vector<std::string> files;  ///< as written; relative to the folder of the configuration
  ConfigPlace place;
};

/// See the top of the file. A value.
class Config {
 public:
  /// Returns the route of `model`, the model that a request names, or the main route. The chain of the main route is
  /// empty if the file only has routes. The reference is valid as long as the Config.
  UNDERSTUDY_API const RouteConfig& route(std::string_view model) const noexcept;

  std::string file;  ///< the file name that the caller passed, for errors that are found later
  RouteConfig main;
  std::vector<RouteConfig> routes;
  std::map<std::string, ProviderConfig> providers;  ///< by name; includes the presets that are used
  BudgetSettings budget;
  Strategy strategy = Strategy::fill_first;
  /// How many calls may use one credential at the same time, and how many wait for it, for how long (CallLimit).
  std::optional<std::size_t> max_concurrent;  ///< none: any number, unless the provider has a limit
  std::size_t max_queued = CallLimit(1).queued;
  Clock::duration queue_time = CallLimit(1).queue_time;
  ServerConfig server;
  LogConfig log;
  CatalogConfig catalog;
  ReasoningConfig reasoning;
};

/// A configuration, or all that is wrong with it.
using ConfigResult = boost::system::result<Config, ConfigErrors>;

/// Returns the value of an environment variable, or null. Empty: std::getenv.
using Environment = std::function<const char*(const char*)>;

/// Parses the text of a file. `file` is its name, for error messages. The contents of the text never cause an
/// exception. The environment variable UNDERSTUDY_STREAM_STALE_TIMEOUT, else HERMES_STREAM_STALE_TIMEOUT, replaces
/// `[stall] stale`; the settings of a route, a provider or a model take precedence over both.
UNDERSTUDY_API ConfigResult parse_config(std::string_view text, std::string file,
                                         const Environment& environment = {});

/// Reads and parses a file, blocking. A file that cannot be read or is larger than 1 MiB is also an error.
UNDERSTUDY_API ConfigResult load_config(const std::string& path,
                                        const Environment& environment = {});

/// Returns the names of the providers that need no `[providers.NAME]`, for help texts. The names live as long as the
/// program.
UNDERSTUDY_API std::vector<std::string_view> preset_names();

}  // namespace understudy
