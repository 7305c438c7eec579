#include "understudy/client/client_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include "client/command_credential.hpp"
#include "understudy/client/configured_catalog.hpp"
#include "understudy/llm/oauth.hpp"

namespace understudy {
namespace {

constexpr std::size_t longest_secret = std::size_t{64} * 1024;

/// What was read of one source, or why it could not be.
struct Read {
  std::optional<Credential> credential;
  std::string source;  // tells it from others, without its secret
  std::string wrong;
  std::string instead;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(space), text.size());
  return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

/// Reads one CredentialSource.
class Reader {
 public:
  Reader(const Environment& environment, HttpClientOptions http, Refresher::Report report,
         std::size_t number)
      : environment_(environment),
        http_(std::move(http)),
        report_(std::move(report)),
        number_(number) {}

  Read operator()(const CredentialSource::Env& from) const {
    const char* const value = variable(from.name.c_str());
    const auto secret = value == nullptr ? std::string_view() : trimmed(value);
    if (secret.empty()) {
      return wrong("the environment variable " + from.name +
                       (value == nullptr ? " is not set" : " is empty"),
                   "set it, or specify with `credentials` where the key is");
    }
    return good(from.name, secret, "env " + from.name);
  }

  Read operator()(const CredentialSource::File& from) const {
    std::ifstream in(from.path, std::ios::binary);
    std::string text(longest_secret + 1, '\0');
    if (!in.read(text.data(), static_cast<std::streamsize>(text.size())) && !in.eof()) {
      return wrong("the file " + from.path + " cannot be read",
                   "name a file that contains only the key");
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    const auto secret = trimmed(text);
    if (secret.empty() || text.size() > longest_secret ||
        secret.find_first_of("\r\n") != std::string_view::npos) {
      return wrong("the file " + from.path + " does not contain a key",
                   "write only the key into it, on one line");
    }
    return good(std::filesystem::path(from.path).filename(), secret, "file " + from.path);
  }

  Read operator()(const CredentialSource::Value& from) const {
    return good("value " + std::to_string(number_), from.secret.reveal(), "value");
  }

  Read operator()(const CredentialSource::Command& from) const {
    auto credential = detail::command_credential(
        std::filesystem::path(from.arguments.front()).filename(), from.arguments);
    if (credential.has_error()) {
      return wrong(credential.error().message(), "name a command that prints only the credential");
    }
    Read read;
    read.credential = std::move(*credential);
    read.source = "command";
    for (const auto& argument : from.arguments) {
      read.source.append(1, '\0').append(argument);
    }
    return read;
  }

  Read operator()(const CredentialSource::OAuth& from) const {
    const auto file = resolved(from.token_file);
    auto credential = llm::oauth_credential(
        http_, std::filesystem::path(file).filename(),
        llm::OAuthOptions(file, from.token_url, from.client_id).with_report(report_));
    if (credential.has_error()) {
      return wrong(credential.error().message(),
                   "log in with the provider's own program, which writes that file");
    }
    Read read;
    read.credential = std::move(*credential);
    read.source = "oauth " + file + ' ' + authority(from.token_url.endpoint) + ' ' + from.client_id;
    return read;
  }

  /// Not a source that can be read.
  Read operator()(const CredentialSource::Client&) const { return {}; }

 private:
  const char* variable(const char* name) const {
    return environment_ ? environment_(name) : std::getenv(name);
  }

  /// `$CODEX_HOME/` at the beginning is that folder, by default `.codex` in the user's home.
  std::string resolved(const std::string& path) const {
    constexpr std::string_view home = "$CODEX_HOME/";
    if (!path.starts_with(home)) {
      return path;
    }
    const char* const codex = variable("CODEX_HOME");
    const char* const user = variable("HOME");
    const auto folder = codex != nullptr && *codex != '\0'
                            ? std::string(codex)
                            : std::string(user == nullptr ? "" : user) + "/.codex";
    return folder + path.substr(home.size() - 1);
  }

  static Read good(std::string label, std::string_view secret, std::string source) {
    Read read;
    read.credential.emplace(std::move(label), Secret(secret));
    read.source = std::move(source);
    return read;
  }

  static Read wrong(std::string what, std::string instead) {
    Read read;
    read.wrong = std::move(what);
    read.instead = std::move(instead);
    return read;
  }

  const Environment& environment_;
  HttpClientOptions http_;
  Refresher::Report report_;
  std::size_t number_;
};

/// Those of `before` under whose key there is another secret now, or none.
std::vector<std::size_t> changed(const CredentialPool& before, const CredentialPool* now) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < before.size(); ++i) {
    bool same = false;
    for (std::size_t j = 0; now != nullptr && j < now->size(); ++j) {
      same = same || (now->key(j) == before.key(i) && now->secret(j) == before.secret(i));
    }
    if (!same) {
      indices.push_back(i);
    }
  }
  return indices;
}

NetResult<ProxyRules> proxy_of(const ProviderConfig& provider, const Environment& environment) {
  return provider.proxy.empty() ? ProxyRules::from_environment(environment)
                                : ProxyRules::always(provider.proxy);
}

}  // namespace

ClientState::ClientState(const BudgetSettings& budget, ClientStateOptions options)
    : options_(std::move(options)),
      state_(budget, options_.seed.value_or(std::random_device()())) {}

ClientState::Made ClientState::make(const Config& config, ClientStateOptions options) {
  std::shared_ptr<ClientState> state(new ClientState(config.budget, std::move(options)));
  if (auto read = state->reload(config); read.has_error()) {
    return read.error();
  }
  return state;
}

boost::system::result<void, ConfigErrors> ClientState::reload(const Config& config) {
  Pools pools;
  ConfigErrors errors;
  errors.file = config.file;
  for (const auto& [name, provider] : config.providers) {
    if (const auto proxy = proxy_of(provider, options_.environment); proxy.has_error()) {
      errors.errors.emplace_back(provider.place, "proxy: " + to_string(proxy.error()),
                                 "write \"http://host:port\", or correct HTTPS_PROXY");
    }
    if (!provider.credentials.empty()) {
      read(config, provider, pools, errors);
    }
  }
  auto catalog = configured_catalog(config);
  if (catalog.has_error()) {
    const auto wrong = catalog.error().errors;
    errors.errors.insert(errors.errors.end(), wrong.begin(), wrong.end());
  }
  if (!errors.errors.empty()) {
    return errors;
  }
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    const auto keeps_pool = [&](const std::string& name, const Pool& old) {
      const auto read = pools.find(name);
      return read != pools.end() && old.sources == read->second.sources &&
             old.secrets == read->second.secrets;
    };
    for (const auto& [name, old] : pools_) {
      if (!keeps_pool(name, old) && old.pool->unpersisted()) {
        errors.errors.emplace_back(
            ConfigPlace(),
            "provider `" + name +
                "`: new tokens have not been written to its token file yet and would be lost",
            "make sure that the file is writable and that its disk has space, then reload again");
      }
    }
    if (!errors.errors.empty()) {
      return errors;
    }
    for (const auto& [name, old] : pools_) {
      const auto read = pools.find(name);
      const bool gone = read == pools.end();
      const bool stays = keeps_pool(name, old);
      for (const auto i : changed(*old.pool, gone ? nullptr : read->second.pool.get())) {
        keys.push_back(old.pool->key(i));
        if (!stays) {  // else there was a new login, whose tokens the next refresh takes
          old.pool->retire(i);
        }
      }
      if (stays) {
        old.pool->slots().limit(read->second.pool->slots().limit());
        read->second.pool = old.pool;
      }
    }
    pools_ = std::move(pools);
    catalog_ = std::move(*catalog);
    tls_contexts_ = std::make_shared<TlsContextCache>();
  }
  for (const auto& key : keys) {
    state_.health().credential_changed(HealthKeys::credential(key));
  }
  return {};
}

void ClientState::read(const Config& config, const ProviderConfig& provider, Pools& pools,
                       ConfigErrors& errors) const {
  Pool pool;
  std::vector<Credential> credentials;
  const auto report = [warnings = warnings_](const Failure& failure) {
    const std::lock_guard lock(warnings->mutex);
    if (warnings->told) {
      warnings->told(failure.message());
    }
  };
  for (const auto& source : provider.credentials) {
    if (std::holds_alternative<CredentialSource::Client>(source.from)) {
      continue;  // comes with each request
    }
    auto read = std::visit(
        Reader(options_.environment, http(provider), report, credentials.size() + 1), source.from);
    if (!read.credential) {
      errors.errors.emplace_back(source.place, "provider `" + provider.name + "`: " + read.wrong,
                                 std::move(read.instead));
      continue;
    }
    // A token that was refreshed meanwhile is no other credential.
    pool.secrets.push_back(read.credential->refresher ? Secret() : read.credential->secret);
    pool.sources.push_back(std::move(read.source));
    credentials.push_back(std::move(*read.credential));
  }
  if (!credentials.empty()) {
    pool.pool =
        std::make_shared<CredentialPool>(provider.name, std::move(credentials), config.strategy);
    const auto most = provider.max_concurrent ? provider.max_concurrent : config.max_concurrent;
    if (most) {
      pool.pool->slots().limit(
          CallLimit(*most).with_queued(config.max_queued).with_queue_time(config.queue_time));
    }
    pools.emplace(provider.name, std::move(pool));
  }
}

void ClientState::on_warning(std::function<void(std::string_view)> told) {
  const std::lock_guard lock(warnings_->mutex);
  warnings_->told = std::move(told);
}

std::shared_ptr<const llm::Catalog> ClientState::catalog() const {
  const std::lock_guard lock(mutex_);
  return catalog_;
}

std::shared_ptr<CredentialPool> ClientState::credentials(const std::string& provider) const {
  const std::lock_guard lock(mutex_);
  const auto found = pools_.find(provider);
  return found == pools_.end() ? nullptr : found->second.pool;
}

std::vector<std::shared_ptr<CredentialPool>> ClientState::all_credentials() const {
  std::vector<std::shared_ptr<CredentialPool>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, pool] : pools_) {
    all.push_back(pool.pool);
  }
  return all;
}

HttpClientOptions ClientState::http(const ProviderConfig& provider) const {
  auto options = options_.http;
  options.with_discarded(discarded_);
  if (!options.tls_contexts) {
    const std::lock_guard lock(mutex_);
    options.with_tls_contexts(tls_contexts_);
  }
  if (!provider.ca_file.empty()) {
    options.with_ca_file(provider.ca_file);
  }
  if (auto proxy = proxy_of(provider, options_.environment)) {
    options.with_proxy(std::move(*proxy));
  }
  return options;
}

}  // namespace understudy
