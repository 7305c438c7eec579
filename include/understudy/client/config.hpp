/// The configuration: a TOML file in, typed values out, and all that is wrong with it at once.
///
/// Invariants
/// 1. Every key of the table in examples/understudy.toml, and nothing else: what is not known, of the
///    wrong type or impossible is an error that says where, what, and what was probably meant.
/// 2. Durations are strings with a unit ("180s", "750ms", "2m"). A bare number in the environment is
///    seconds.
/// 3. Reads the text and the environment, no other file: credentials are read by `ClientState`
///    (client_state.hpp), so that no secret but one written into the file itself is in here.
///
///     auto config = load_config("understudy.toml");
///     if (config.has_error()) { std::cerr << to_string(config.error()); }
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "understudy/client/delivery_settings.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/policy.hpp"
#include "understudy/failover/retry_budget.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"

namespace understudy {

/// Where something stands in the file. Line and column count from 1, the column in characters; 0: nowhere.
class ConfigPlace {
 public:
  ConfigPlace() noexcept {}
  ConfigPlace(std::uint32_t l, std::uint32_t c) noexcept : line(l), column(c) {}

  friend auto operator<=>(const ConfigPlace&, const ConfigPlace&) = default;

  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// One thing that is wrong, and what to write instead.
class ConfigError {
 public:
  ConfigError(ConfigPlace p, std::string w, std::string s)
      : place(p), what(std::move(w)), suggestion(std::move(s)) {}

  ConfigPlace place;
  std::string what;        ///< "unknown key `modle`"
  std::string suggestion;  ///< "did you mean `model`?"; never empty
};

/// All that is wrong, in the file's order. `file` is as it was given.
class ConfigErrors {
 public:
  std::string file;
  std::vector<ConfigError> errors;
};

/// A line for each: `understudy.toml:12:5: unknown key `modle`: did you mean `model`?`
UNDERSTUDY_API std::string to_string(const ConfigErrors& errors);

/// What `value()` throws (std::runtime_error with the text of `to_string`).
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const ConfigErrors& errors,
                                                            const boost::source_location& site);

/// Where a credential is to be read.
class CredentialSource {
 public:
  struct Env {
    std::string name;
  };
  struct File {
    std::string path;
  };
  struct Value {
    Secret secret;
  };
  struct OAuth {
    std::string token_file;
    Url token_url;
    std::string client_id;
  };

  std::variant<Env, File, Value, OAuth> from;
  ConfigPlace place;
};

class ModelConfig {
 public:
  std::optional<std::uint64_t> context_window;
  std::optional<bool> accepts_prefill;
  std::optional<Clock::duration> reasoning_floor;
  StallSettings stall;
};

/// A provider that the file names, or a preset that a chain uses.
class ProviderConfig {
 public:
  ProviderConfig(std::string n, llm::Protocol p, Url u)
      : name(std::move(n)), protocol(p), base_url(std::move(u)) {}

  std::string name;
  llm::Protocol protocol;
  Url base_url;
  std::string base_url_text;  ///< as written, without any secret, for reports
  llm::Authorization authorization = llm::Authorization::bearer;
  /// Empty: none is sent (a local server). A preset's own variable, if the file names none.
  std::vector<CredentialSource> credentials;
  HttpFields headers;
  std::string ca_file;  ///< empty: the system's
  std::string proxy;    ///< empty: by HTTPS_PROXY and its kin
  bool stream = true;
  StallSettings stall;
  std::optional<BackoffSettings> backoff;  ///< none: the policy's
  std::optional<BudgetSettings> budget;    ///< none: the configuration's
  std::map<std::string, ModelConfig> models;
  ConfigPlace place;
};

class MemberConfig {
 public:
  std::string provider;  ///< a key of Config::providers
  std::string model;
  ConfigPlace place;
};

/// A chain, and how calls to it are made. The file's `[fallback]` and `[stall]`, where the route says
/// nothing of its own.
class RouteConfig {
 public:
  std::string model;  ///< what the client asks for; empty in the main route, which serves all else
  std::vector<MemberConfig> chain;
  Policy policy;
  DeliverySettings delivery;
  ConfigPlace place;
};

class ServerConfig {
 public:
  struct Tls {
    std::string certificate_file;
    std::string key_file;
  };

  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::vector<Secret> keys;
  /// Further names by which clients may call it, and pages that may use it. Patterns: "*.example.net", "app://*".
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::optional<Tls> tls;
  Clock::duration keep_alive = std::chrono::seconds(15);
  Clock::duration drain = std::chrono::seconds(30);
  std::size_t max_connections = 10'000;  ///< of all threads together; each has its share
  std::size_t max_body = std::size_t{32} * 1024 * 1024;
  Clock::duration idle = std::chrono::seconds(75);
  bool report = false;
  std::optional<unsigned> threads;  ///< none: one for each core
};

class LogConfig {
 public:
  enum class Level : unsigned char { debug, info, warn, error, off };
  enum class Format : unsigned char { text, json };

  Level level = Level::info;
  Format format = Format::text;
  bool prompts = false;
};

/// See the top of the file. A value.
class Config {
 public:
  /// For the model that a request names: its route, else the main one, whose chain is empty where the file
  /// has routes alone.
  UNDERSTUDY_API const RouteConfig& route(std::string_view model) const noexcept;

  std::string file;  ///< its name as it was given, for errors that are found later
  RouteConfig main;
  std::vector<RouteConfig> routes;
  std::map<std::string, ProviderConfig> providers;  ///< by name; those of presets that are used too
  BudgetSettings budget;
  Strategy strategy = Strategy::fill_first;
  ServerConfig server;
  LogConfig log;
};

using ConfigResult = boost::system::result<Config, ConfigErrors>;

/// The environment; std::getenv unless a test says otherwise.
using Environment = std::function<const char*(const char*)>;

/// From the text of a file; `file` is its name, for the errors. Never throws for what stands in it.
/// The environment's UNDERSTUDY_STREAM_STALE_TIMEOUT, else HERMES_STREAM_STALE_TIMEOUT, stands in place of
/// `[stall] stale`; what a route, a provider or a model says of its own stands above both.
UNDERSTUDY_API ConfigResult parse_config(std::string_view text, std::string file,
                                         const Environment& environment = {});

/// From a file. One that cannot be read, or is larger than 1 MiB, is an error too.
UNDERSTUDY_API ConfigResult load_config(const std::string& path,
                                        const Environment& environment = {});

/// The providers that need no `[providers.NAME]`, for help texts.
UNDERSTUDY_API std::vector<std::string_view> preset_names();

/// A key that the file may have.
class ConfigKey {
 public:
  constexpr ConfigKey(std::string_view in, std::string_view key, std::string_view written) noexcept
      : section(in), name(key), example(written) {}

  std::string_view section;  ///< "stall", "providers.NAME", "routes.chain"; empty: the file itself
  std::string_view name;
  std::string_view example;  ///< a value as it is written; of a section its head, "[stall]"
};

/// All of them, once each: those of `[fallback]` may stand in `[[routes]]` too, those of `[stall]` and
/// `[retry]` in the tables of that name elsewhere.
UNDERSTUDY_API std::span<const ConfigKey> config_keys() noexcept;

}  // namespace understudy
