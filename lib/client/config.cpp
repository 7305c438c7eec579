#include "understudy/client/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "client/config/presets.hpp"
#include "client/config/sections.hpp"
#include "client/route_of.hpp"

namespace understudy {
namespace {

using text::Findings;
using text::Section;
using text::TomlNode;

constexpr std::size_t longest_file = std::size_t{1024} * 1024;

/// Whether two providers are the same back end and the same account (the identity of a Member).
bool same_backend(const ProviderConfig& a, const ProviderConfig& b) {
  const auto path = [](const ProviderConfig& provider) {
    std::string_view text = provider.base_url.path;
    return text.substr(0, text.find_last_not_of('/') + 1);
  };
  return a.name == b.name ||
         (a.base_url.endpoint == b.base_url.endpoint && path(a) == path(b) &&
          std::equal(a.credentials.begin(), a.credentials.end(), b.credentials.begin(),
                     b.credentials.end(), config::same_source));
}

/// Reads the root table, section by section.
class Builder {
 public:
  Builder(Findings& findings, const TomlNode& root)
      : findings_(findings), root_(findings, config::schema(), "", root) {}

  Config build(const Environment& environment) {
    auto& policy = config_.main.policy;
    const auto fallback = root_.table("fallback", "fallback");
    if (fallback) {
      config::read_fallback(*fallback, config_.main);
      fallback->finish();
    }
    if (const auto retry = root_.table("retry", "retry")) {
      config::RetryDraft draft{policy.backoff, config_.budget};
      config::read_retry(*retry, draft);
      policy.backoff = draft.backoff;
      config_.budget = draft.budget;
    }
    config::CredentialsDraft credentials;
    read("credentials", config::credentials_keys(), credentials);
    policy.recover = credentials.recover;
    policy.quota_reserve = credentials.quota_reserve;
    config_.strategy = credentials.strategy;
    config_.max_concurrent = credentials.max_concurrent;
    config_.max_queued = credentials.max_queued;
    config_.queue_time = credentials.queue_time;
    if (const auto stall = root_.table("stall", "stall")) {
      config::read_stall(*stall, policy.stall);
    }
    providers();
    config::read_environment(findings_, environment, policy.stall);
    main_chain();
    routes();
    if (fallback && fallback->has("hedge_after") && longest_chain_ == 1) {
      fallback->wrong("hedge_after", "`hedge_after` without a second member",
                      "add a [[fallback_providers]], or remove it");
    }
    read("server", config::server_keys(), config_.server);
    read("log", config::log_keys(), config_.log);
    read("reasoning", config::reasoning_keys(), config_.reasoning);
    read("catalog", config::catalog_keys(), config_.catalog);
    config_.catalog.place = root_.place_of("catalog");
    root_.finish();
    return std::move(config_);
  }

 private:
  /// A section at the top that needs nothing but its keys.
  template <class Target>
  void read(std::string_view name, const text::KeyTable<Target>& keys, Target& target) {
    if (const auto section = root_.table(name, name)) {
      keys.read(*section, target);
      section->finish();
    }
  }

  void providers() {
    const auto* const entries = root_.entries("providers");
    if (entries == nullptr) {
      return;
    }
    const config::ProviderDefaults defaults{config_.main.policy.stall,
                                            {config_.main.policy.backoff, config_.budget}};
    for (const auto& entry : *entries) {
      declared_.insert(entry.key);
      if (!std::holds_alternative<TomlNode::Table>(entry.node.value)) {
        findings_.add(entry.node.place, "a provider must be a table",
                      "write [providers." + text::excerpt(entry.key) +
                          "] on a line of its own, and its keys below it");
      } else if (auto provider = config::read_provider(
                     entry.key, Section(findings_, config::schema(), "providers.NAME", entry.node),
                     defaults)) {
        config_.providers.emplace(entry.key, std::move(*provider));
      }
    }
  }

  /// Adds the preset that a member names, or notes that its provider is unknown.
  void resolve(const Section& section, const std::string& name) {
    if (config_.providers.contains(name) || declared_.contains(name)) {
      return;
    }
    const auto* const preset = config::preset_of(name);
    if (preset != nullptr && !preset->base_url.empty()) {
      config_.providers.emplace(name, config::provider_of(*preset));
    } else if (preset != nullptr) {
      section.wrong("provider", "`" + name + "` has no `base_url`",
                    "write [providers." + name + "] with base_url = \"" +
                        config::example_url(name, preset->protocol) + "\"");
    } else {
      auto names = preset_names();
      names.insert(names.end(), declared_.begin(), declared_.end());
      const auto meant = text::nearest(name, names);
      section.wrong("provider", "unknown provider `" + text::excerpt(name) + "`",
                    meant.empty() ? "write [providers." + text::excerpt(name) + "], or one of " +
                                        text::list_of(names, "\"")
                                  : "did you mean \"" + text::excerpt(meant) + "\"?");
    }
  }

  void member(const Section& section, const text::KeyTable<MemberConfig>& keys,
              std::vector<MemberConfig>& chain) {
    MemberConfig member;
    member.place = section.place();
    keys.read(section, member);
    section.finish();
    if (!member.provider.empty()) {
      resolve(section, member.provider);
    }
    if (member.model.empty() || member.provider.empty()) {
      return;
    }
    if (text::is_glob(member.model) && member.model != "*") {
      findings_.add(section.place(), "the model `" + text::excerpt(member.model) + "` has a `*`",
                    "write the model's whole name, or \"*\" for the model that the request names");
    }
    const auto provider = config_.providers.find(member.provider);
    const auto twin = std::find_if(chain.begin(), chain.end(), [&](const MemberConfig& other) {
      const auto others = config_.providers.find(other.provider);
      return other.model == member.model &&
             (other.provider == member.provider ||
              (provider != config_.providers.end() && others != config_.providers.end() &&
               same_backend(provider->second, others->second)));
    });
    if (twin != chain.end()) {
      findings_.add(section.place(),
                    "the same member as in line " + std::to_string(twin->place.line) +
                        ": same model, base URL and credentials",
                    "remove one of the two");
    }
    chain.push_back(std::move(member));
  }

  void main_chain() {
    const auto model = root_.table("model", "model");
    const auto fallbacks = root_.tables("fallback_providers", "fallback_providers");
    if (model) {
      config_.main.place = model->place();
      member(*model, config::first_member_keys(), config_.main.chain);
    } else if (root_.lacks("model") && fallbacks && !fallbacks->empty()) {
      findings_.add(root_.place_of("fallback_providers"), "[[fallback_providers]] without [model]",
                    "write [model] with `default` and `provider`");
    } else if (root_.lacks("model") && root_.lacks("routes")) {
      findings_.add({}, "neither [model] nor [[routes]]: there is no provider to ask",
                    "write [model] with `default` and `provider`");
    }
    if (fallbacks) {
      for (const auto& section : *fallbacks) {
        member(section, config::fallback_member_keys(), config_.main.chain);
      }
      longest_chain_ = fallbacks->size();
    }
    longest_chain_ += root_.has("model") ? 1 : 0;
  }

  void routes() {
    const auto sections = root_.tables("routes", "routes");
    if (!sections) {
      return;
    }
    for (const auto& section : *sections) {
      config::RouteDraft draft;
      auto& route = draft.route;
      route.policy = config_.main.policy;
      route.delivery = config_.main.delivery;
      route.place = section.place();
      config::read_fallback(section, route);
      config::route_keys().read(section, draft);
      if (draft.chain) {
        chain(section, *draft.chain, route.chain);
      }
      section.finish();
      const auto twin =
          std::find_if(config_.routes.begin(), config_.routes.end(), [&](const RouteConfig& other) {
            return !route.model.empty() && other.model == route.model;
          });
      if (twin != config_.routes.end()) {
        section.wrong("model",
                      "line " + std::to_string(twin->place.line) + " has a route for this model",
                      "remove one of the two");
      }
      config_.routes.push_back(std::move(route));
    }
  }

  void chain(const Section& route, const std::vector<Section>& members,
             std::vector<MemberConfig>& chain) {
    if (members.empty()) {
      route.wrong("chain", "a chain without members");
    }
    for (const auto& section : members) {
      member(section, config::chain_member_keys(), chain);
    }
    if (members.size() == 1 && route.has("hedge_after")) {
      route.wrong("hedge_after", "`hedge_after` without a second member",
                  "add a member to `chain`, or remove it");
    }
    longest_chain_ = std::max(longest_chain_, members.size());
  }

  Findings& findings_;
  Section root_;
  Config config_;
  std::set<std::string, std::less<>> declared_;
  std::size_t longest_chain_ = 0;
};

ConfigErrors unreadable(const std::string& path, std::string what, std::string suggestion) {
  ConfigErrors errors;
  errors.file = path;
  errors.errors.emplace_back(ConfigPlace(), std::move(what), std::move(suggestion));
  return errors;
}

ConfigErrors too_long(const std::string& file) {
  return unreadable(file, "larger than 1 MiB", "specify the name of a configuration file");
}

}  // namespace

const RouteConfig& Config::route(std::string_view model) const noexcept {
  return detail::route_of(routes, main, model);
}

ConfigResult parse_config(std::string_view text, std::string file, const Environment& environment) {
  if (text.size() > longest_file) {
    return too_long(file);
  }
  const auto document = text::parse_toml(text);
  if (const auto* const error = std::get_if<ConfigError>(&document)) {
    ConfigErrors errors;
    errors.file = std::move(file);
    errors.errors.push_back(*error);
    return errors;
  }
  Findings findings;
  auto config = Builder(findings, std::get<TomlNode>(document)).build(environment);
  if (findings.empty()) {
    config.file = std::move(file);
    return config;
  }
  ConfigErrors errors;
  errors.file = std::move(file);
  errors.errors = findings.take();
  return errors;
}

ConfigResult load_config(const std::string& path, const Environment& environment) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  std::string text(longest_file + 1, '\0');
  errno = file ? 0 : errno;
  if (file) {
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  }
  if (!file || std::ferror(file.get()) != 0) {
    const boost::system::error_code why(errno, boost::system::system_category());
    return unreadable(path, "cannot be read: " + why.message(), "specify a file that you may read");
  }
  return parse_config(text, path, environment);
}

}  // namespace understudy
