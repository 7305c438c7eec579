/// The configuration: a TOML file in, typed values out, and everything that is wrong with it at once.
///
/// Invariants
/// 1. The keys are those of docs/configuration.md. An unknown key, a value of the wrong type or an impossible value is
///    an error that says where, what, and what was probably meant.
/// 2. Durations are strings with a unit ("180s", "750ms", "2m"). A bare number in the environment is seconds.
/// 3. Reads the text and the environment, and no other file. Credentials are read by `ClientState` (client_state.hpp),
///    so the only secrets in here are those that are written into the file itself.
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

using ConfigPlace = text::SourcePlace;
using ConfigError = text::SourceError;
using ConfigErrors = text::SourceErrors;

/// A member of a chain.
class MemberConfig {
 public:
  std::string provider;  ///< a key of Config::providers
  std::string model;
  ConfigPlace place;
};

/// A chain, and how calls to it are made: as the route says, else as `[fallback]` and `[stall]` say.
class RouteConfig {
 public:
  std::string model;  ///< that a request asks for; empty in the main route, which serves all others
  std::vector<MemberConfig> chain;
  Policy policy;
  DeliverySettings delivery;
  ConfigPlace place;
};

/// See the top of the file. A value.
class Config {
 public:
  /// The route of the model that a request names, else the main one. The chain of the main route is empty where the
  /// file has routes only.
  UNDERSTUDY_API const RouteConfig& route(std::string_view model) const noexcept;

  std::string file;  ///< its name as the caller gave it, for errors that are found later
  RouteConfig main;
  std::vector<RouteConfig> routes;
  std::map<std::string, ProviderConfig> providers;  ///< by name; includes the presets that are used
  BudgetSettings budget;
  Strategy strategy = Strategy::fill_first;
  ServerConfig server;
  LogConfig log;
};

using ConfigResult = boost::system::result<Config, ConfigErrors>;

/// Gives the value of an environment variable, or null. Empty: std::getenv.
using Environment = std::function<const char*(const char*)>;

/// Reads the text of a file; `file` is its name, for the errors. Never throws because of what the text says.
/// The environment variable UNDERSTUDY_STREAM_STALE_TIMEOUT, else HERMES_STREAM_STALE_TIMEOUT, replaces `[stall] stale`;
/// what a route, a provider or a model says itself takes precedence over both.
UNDERSTUDY_API ConfigResult parse_config(std::string_view text, std::string file,
                                         const Environment& environment = {});

/// Reads a file, blocking. A file that cannot be read, or is larger than 1 MiB, is an error too.
UNDERSTUDY_API ConfigResult load_config(const std::string& path,
                                        const Environment& environment = {});

/// The names of the providers that need no `[providers.NAME]`, for help texts. They live for ever.
UNDERSTUDY_API std::vector<std::string_view> preset_names();

}  // namespace understudy
