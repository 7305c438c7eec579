#include "understudy/client/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "config_document.hpp"
#include "config_presets.hpp"
#include "config_reader.hpp"
#include "config_sections.hpp"
#include "config_suggestions.hpp"

namespace understudy {
namespace {

using detail::ConfigNode;
using detail::Findings;
using detail::Section;

constexpr std::size_t longest_file = std::size_t{1024} * 1024;

/// Whether two names stand for the same backend and the same account (Member's identity).
bool same_backend(const ProviderConfig& a, const ProviderConfig& b) {
  const auto path = [](const ProviderConfig& provider) {
    std::string_view text = provider.base_url.path;
    return text.substr(0, text.find_last_not_of('/') + 1);
  };
  return a.name == b.name ||
         (a.base_url.endpoint == b.base_url.endpoint && path(a) == path(b) &&
          std::equal(a.credentials.begin(), a.credentials.end(), b.credentials.begin(),
                     b.credentials.end(), detail::same_source));
}

/// Reads the root table, section by section.
class Builder {
 public:
  Builder(Findings& findings, const ConfigNode& root)
      : findings_(findings), root_(findings, "", root) {}

  Config build(const Environment& environment) {
    auto& policy = config_.main.policy;
    auto fallback = root_.table("fallback", "fallback");
    if (fallback) {
      detail::read_fallback(*fallback, policy, config_.main.delivery);
      fallback->finish();
    }
    if (auto retry = root_.table("retry", "retry")) {
      detail::read_retry(std::move(*retry), policy.backoff, config_.budget);
    }
    if (auto credentials = root_.table("credentials", "credentials")) {
      detail::read_credentials(std::move(*credentials), policy.recover, config_.strategy);
    }
    if (auto stall = root_.table("stall", "stall")) {
      detail::read_stall(std::move(*stall), policy.stall);
    }
    providers();
    detail::read_environment(findings_, environment, policy.stall);
    main_chain();
    routes();
    if (fallback && fallback->has("hedge_after") && longest_chain_ == 1) {
      fallback->wrong("hedge_after", "`hedge_after` without a second member",
                      "add a [[fallback_providers]], or leave it out");
    }
    if (auto server = root_.table("server", "server")) {
      detail::read_server(std::move(*server), config_.server);
    }
    if (auto log = root_.table("log", "log")) {
      detail::read_log(std::move(*log), config_.log);
    }
    root_.finish();
    return std::move(config_);
  }

 private:
  void providers() {
    const auto* const entries = root_.entries("providers");
    if (entries == nullptr) {
      return;
    }
    const detail::ProviderDefaults defaults{config_.main.policy.stall, config_.main.policy.backoff,
                                            config_.budget};
    for (const auto& entry : *entries) {
      declared_.insert(entry.key);
      if (!std::holds_alternative<ConfigNode::Table>(entry.node.value)) {
        findings_.add(entry.node.place, "a provider must be a table",
                      "write [providers." + detail::shown(entry.key) +
                          "] on a line of its own, and its keys below it");
      } else if (auto provider = detail::read_provider(
                     entry.key, Section(findings_, "providers.NAME", entry.node), defaults)) {
        config_.providers.emplace(entry.key, std::move(*provider));
      }
    }
  }

  /// Makes sure that the provider of a member is known, and notes it if it is not.
  void resolve(const Section& section, const std::string& name) {
    if (config_.providers.contains(name) || declared_.contains(name)) {
      return;
    }
    const auto* const preset = detail::preset_of(name);
    if (preset != nullptr && !preset->base_url.empty()) {
      config_.providers.emplace(name, detail::provider_of(*preset));
    } else if (preset != nullptr) {
      section.wrong("provider", "`" + name + "` has no `base_url`",
                    "write [providers." + name +
                        "] with base_url = \"https://RESOURCE.openai.azure.com/openai/v1\"");
    } else {
      auto names = preset_names();
      names.insert(names.end(), declared_.begin(), declared_.end());
      const auto meant = detail::nearest(name, names);
      section.wrong("provider", "unknown provider `" + detail::shown(name) + "`",
                    meant.empty() ? "write [providers." + detail::shown(name) + "], or one of " +
                                        detail::list_of(names, "\"")
                                  : "did you mean \"" + detail::shown(meant) + "\"?");
    }
  }

  void member(Section& section, std::string_view model_key, std::vector<MemberConfig>& chain) {
    section.require(model_key);
    section.require("provider");
    const auto model = section.text(model_key);
    const auto name = section.text("provider");
    section.finish();
    if (name) {
      resolve(section, *name);
    }
    if (!model || !name) {
      return;
    }
    const auto provider = config_.providers.find(*name);
    const auto twin = std::find_if(chain.begin(), chain.end(), [&](const MemberConfig& other) {
      const auto others = config_.providers.find(other.provider);
      return other.model == *model &&
             (other.provider == *name ||
              (provider != config_.providers.end() && others != config_.providers.end() &&
               same_backend(provider->second, others->second)));
    });
    if (twin != chain.end()) {
      findings_.add(section.place(),
                    "the same member as in line " + std::to_string(twin->place.line) +
                        ": same model, base URL and credentials",
                    "take one of the two out");
    }
    chain.push_back(MemberConfig{*name, *model, section.place()});
  }

  void main_chain() {
    auto model = root_.table("model", "model");
    auto fallbacks = root_.tables("fallback_providers", "fallback_providers");
    if (model) {
      config_.main.place = model->place();
      member(*model, "default", config_.main.chain);
    } else if (root_.lacks("model") && fallbacks && !fallbacks->empty()) {
      findings_.add(root_.place_of("fallback_providers"), "[[fallback_providers]] without [model]",
                    "write [model] with `default` and `provider`");
    } else if (root_.lacks("model") && root_.lacks("routes")) {
      findings_.add({}, "neither [model] nor [[routes]]: there is nobody to ask",
                    "write [model] with `default` and `provider`");
    }
    if (fallbacks) {
      for (auto& section : *fallbacks) {
        member(section, "model", config_.main.chain);
      }
      longest_chain_ = fallbacks->size();
    }
    longest_chain_ += root_.has("model") ? 1 : 0;
  }

  void routes() {
    auto sections = root_.tables("routes", "routes");
    if (!sections) {
      return;
    }
    for (auto& section : *sections) {
      RouteConfig route;
      route.policy = config_.main.policy;
      route.delivery = config_.main.delivery;
      route.place = section.place();
      section.require("model");
      route.model = section.text("model").value_or("");
      detail::read_fallback(section, route.policy, route.delivery);
      if (auto stall = section.table("stall", "stall")) {
        detail::read_stall(std::move(*stall), route.policy.stall);
      }
      chain(section, route);
      section.finish();
      const auto twin =
          std::find_if(config_.routes.begin(), config_.routes.end(), [&](const RouteConfig& other) {
            return !route.model.empty() && other.model == route.model;
          });
      if (twin != config_.routes.end()) {
        section.wrong("model",
                      "the route for this model stands in line " +
                          std::to_string(twin->place.line) + " already",
                      "take one of the two out");
      }
      config_.routes.push_back(std::move(route));
    }
  }

  void chain(Section& section, RouteConfig& route) {
    section.require("chain");
    auto members = section.tables("chain", "routes.chain");
    if (!members) {
      return;
    }
    if (members->empty()) {
      section.wrong("chain", "a chain without members");
    }
    for (auto& entry : *members) {
      member(entry, "model", route.chain);
    }
    if (members->size() == 1 && section.has("hedge_after")) {
      section.wrong("hedge_after", "`hedge_after` without a second member",
                    "add a member to `chain`, or leave it out");
    }
    longest_chain_ = std::max(longest_chain_, members->size());
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
  return unreadable(file, "larger than 1 MiB",
                    "give the file that you mean: no configuration is so long");
}

}  // namespace

std::string to_string(const ConfigErrors& errors) {
  std::string text;
  for (const auto& error : errors.errors) {
    text += text.empty() ? "" : "\n";
    text += errors.file;
    if (error.place.line > 0) {
      text.append(":").append(std::to_string(error.place.line));
      text.append(":").append(std::to_string(error.place.column));
    }
    text.append(": ").append(error.what).append(": ").append(error.suggestion);
  }
  return text;
}

void throw_exception_from_error(const ConfigErrors& errors,
                                const boost::source_location& /*site*/) {
  throw std::runtime_error(to_string(errors));
}

const RouteConfig& Config::route(std::string_view model) const noexcept {
  const auto found = std::find_if(routes.begin(), routes.end(),
                                  [&](const RouteConfig& route) { return route.model == model; });
  return found == routes.end() ? main : *found;
}

ConfigResult parse_config(std::string_view text, std::string file, const Environment& environment) {
  if (text.size() > longest_file) {
    return too_long(file);
  }
  const auto document = detail::parse_document(text);
  if (const auto* const error = std::get_if<ConfigError>(&document)) {
    ConfigErrors errors;
    errors.file = std::move(file);
    errors.errors.push_back(*error);
    return errors;
  }
  Findings findings;
  auto config = Builder(findings, std::get<ConfigNode>(document)).build(environment);
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
    return unreadable(path, "cannot be read: " + why.message(), "give a file that you may read");
  }
  return parse_config(text, path, environment);
}

}  // namespace understudy
