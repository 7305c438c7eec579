#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include "config_keys.hpp"
#include "config_presets.hpp"
#include "config_sections.hpp"
#include "config_suggestions.hpp"
#include "understudy/net/proxy.hpp"

namespace understudy::detail {
namespace {

constexpr std::int64_t most_tokens = 1'000'000'000;

bool of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_variable(std::string_view text) {
  return !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return of_a_name(c) && c != '-' && c != '.'; });
}

bool on_this_machine(const std::string& host) {
  boost::system::error_code none;
  const auto address = asio::ip::make_address(host, none);
  return host == "localhost" || (!none && address.is_loopback());
}

std::optional<Url> read_url(Section& section, std::string_view key) {
  const auto text = section.text(key);
  if (!text) {
    return std::nullopt;
  }
  auto url = parse_url(*text);
  if (url.has_error()) {
    section.wrong(key, "`" + std::string(key) + "` is no URL: " + url.error().text);
    return std::nullopt;
  }
  if (!url->user_info.empty()) {
    section.wrong(key, "`" + std::string(key) + "` holds a user or password",
                  "write credentials = [{env = \"EXAMPLE_API_KEY\"}], and the URL without them");
    return std::nullopt;
  }
  return std::move(*url);
}

/// The first name in the query under which providers take a key.
std::optional<std::string_view> key_in_query(std::string_view path) {
  constexpr std::array<std::string_view, 7> names{"key",   "api_key",      "api-key", "apikey",
                                                  "token", "access_token", "secret"};
  auto query = path.substr(std::min(path.find('?'), path.size()));
  while (!query.empty()) {
    query.remove_prefix(1);
    const auto end = std::min(query.find('&'), query.size());
    const auto name = percent_decoded(query.substr(0, std::min(query.find('='), end)));
    const auto found = std::find_if(names.begin(), names.end(), [&](auto one) {
      return name && boost::beast::iequals(*name, one);
    });
    if (found != names.end()) {
      return *found;
    }
    query.remove_prefix(end);
  }
  return std::nullopt;
}

/// What reports and marks call the provider by: no key in it.
std::optional<Url> read_base_url(Section& section) {
  auto url = read_url(section, "base_url");
  if (const auto name = url ? key_in_query(url->path) : std::nullopt) {
    section.wrong("base_url", "`base_url` holds a credential, `" + std::string(*name) + "`",
                  "write credentials = [{env = \"EXAMPLE_API_KEY\"}], and the URL without it");
    return std::nullopt;
  }
  return url;
}

std::optional<CredentialSource::OAuth> read_oauth(Section section) {
  section.require("token_file");
  section.require("token_url");
  section.require("client_id");
  const auto file = section.text("token_file");
  const auto url = read_url(section, "token_url");
  const auto client = section.text("client_id");
  section.finish();
  if (url && url->endpoint.scheme != Scheme::https && !on_this_machine(url->endpoint.host)) {
    section.wrong("token_url", "`token_url` is neither https nor on this machine",
                  "write https://: a refresh token is worth as much as a password");
    return std::nullopt;
  }
  return file && url && client ? std::optional(CredentialSource::OAuth{*file, *url, *client})
                               : std::nullopt;
}

std::optional<CredentialSource> read_credential(Section section) {
  std::optional<CredentialSource> source;
  if (const auto env = section.text("env")) {
    if (is_variable(*env)) {
      source = CredentialSource{CredentialSource::Env{*env}, section.place()};
    } else {
      // What stands there may be the key itself, and is not quoted.
      section.wrong("env", "`env` is no name of an environment variable");
    }
  }
  if (const auto file = section.text("file")) {
    source = CredentialSource{CredentialSource::File{*file}, section.place()};
  }
  if (const auto value = section.text("value")) {
    source = CredentialSource{CredentialSource::Value{Secret(*value)}, section.place()};
  }
  if (auto table = section.table("oauth", "providers.NAME.credentials.oauth")) {
    if (auto oauth = read_oauth(std::move(*table))) {
      source = CredentialSource{std::move(*oauth), section.place()};
    }
  }
  section.finish();
  const auto keys = keys_in("providers.NAME.credentials");
  const auto written =
      std::count_if(keys.begin(), keys.end(), [&](auto key) { return section.has(key); });
  if (written == 1) {
    return source;
  }
  section.findings().add(
      section.place(),
      written == 0 ? "a credential that comes from nowhere"
                   : "a credential that comes from more than one place",
      "write one of " + list_of(keys) + ", each credential in braces of its own");
  return std::nullopt;
}

bool may_be_header(Section& section, const ConfigNode::Entry& entry, const HttpFields& before) {
  constexpr std::array<std::string_view, 5> credentials{"authorization", "x-api-key", "api-key",
                                                        "x-goog-api-key", "proxy-authorization"};
  constexpr std::array<std::string_view, 6> own{
      "host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"};
  const auto in = [&](const auto& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](auto name) { return boost::beast::iequals(entry.key, name); });
  };
  const auto name = "`" + shown(entry.key) + "`";
  auto& findings = section.findings();
  if (!is_valid_field(entry.key, "")) {
    findings.add(entry.place, name + " is no name of a header", "write letters, digits and dashes");
  } else if (in(credentials)) {
    findings.add(entry.place, "the header " + name + " carries a credential",
                 "write credentials = [{env = \"EXAMPLE_API_KEY\"}]");
  } else if (in(own)) {
    findings.add(entry.place, "the header " + name + " is written by the client itself",
                 "leave it out");
  } else if (before.find(entry.key)) {
    findings.add(entry.place, "the header " + name + " for the second time", "write it once");
  } else {
    return true;
  }
  return false;
}

void read_headers(Section& section, HttpFields& headers) {
  const auto* const entries = section.entries("headers");
  if (entries == nullptr) {
    return;
  }
  for (const auto& entry : *entries) {
    const bool named = may_be_header(section, entry, headers);
    const auto value = text_of(section.findings(), entry.node, entry.key,
                               "write a string, such as headers = {x-team = \"blue\"}");
    if (named && value) {
      headers.add(entry.key, *value);
    }
  }
}

ModelConfig read_model(Section section, const StallSettings& beneath) {
  ModelConfig model;
  if (const auto tokens = section.whole("context_window", 1, most_tokens)) {
    model.context_window = static_cast<std::uint64_t>(*tokens);
  }
  model.accepts_prefill = section.flag("accepts_prefill");
  model.reasoning_floor = section.duration("reasoning_floor");
  if (auto stall = section.table("stall", "stall")) {
    read_stall(std::move(*stall), model.stall, &beneath);
  }
  section.finish();
  if (model.reasoning_floor && model.stall.stale) {
    section.wrong("reasoning_floor", "`reasoning_floor` means nothing beside an explicit `stale`",
                  "leave one of the two out");
  }
  return model;
}

/// What TOML makes of `models.gpt-5.5`: a table within the table `gpt-5`.
const ConfigNode::Entry* part_of_name(const ConfigNode& model) {
  const auto* const table = std::get_if<ConfigNode::Table>(&model.value);
  const auto keys = keys_in("providers.NAME.models.MODEL");
  if (table == nullptr || table->size() != 1 ||
      !std::holds_alternative<ConfigNode::Table>(table->front().node.value) ||
      std::find(keys.begin(), keys.end(), table->front().key) != keys.end()) {
    return nullptr;
  }
  return &table->front();
}

void read_models(Section& section, ProviderConfig& provider, const StallSettings& beneath) {
  const auto* const entries = section.entries("models");
  if (entries == nullptr) {
    return;
  }
  for (const auto& entry : *entries) {
    if (const auto* const part = part_of_name(entry.node)) {
      section.findings().add(part->place, "a model's name with a dot in it, and without quotes",
                             "write models.\"" + shown(entry.key + "." + part->key) + "\"");
    } else if (!std::holds_alternative<ConfigNode::Table>(entry.node.value)) {
      section.findings().add(
          entry.node.place, "a model must be a table",
          "write models = {\"" + shown(entry.key) + "\" = {context_window = 32768}}");
    } else {
      provider.models.emplace(
          entry.key,
          read_model(Section(section.findings(), "providers.NAME.models.MODEL", entry.node),
                     beneath));
    }
  }
}

void read_authorization(Section& section, ProviderConfig& provider) {
  constexpr std::array<std::string_view, 3> words{"bearer", "x-api-key", "api-key"};
  constexpr std::array meanings{llm::Authorization::bearer, llm::Authorization::x_api_key,
                                llm::Authorization::api_key};
  if (const auto chosen = section.choice("authorization", words)) {
    provider.authorization = meanings[*chosen];
  }
}

/// What stands where, whatever a provider's protocol and place are.
void read_rest(Section& section, ProviderConfig& provider, const ProviderDefaults& defaults) {
  read_authorization(section, provider);
  if (const auto entries = section.tables("credentials", "providers.NAME.credentials")) {
    provider.credentials.clear();
    for (const auto& entry : *entries) {
      auto source = read_credential(entry);
      const auto same = [&](const auto& other) { return same_source(other, *source); };
      if (source && std::any_of(provider.credentials.begin(), provider.credentials.end(), same)) {
        section.findings().add(entry.place(), "the same credential for the second time",
                               "write it once");
      } else if (source) {
        provider.credentials.push_back(std::move(*source));
      }
    }
  }
  read_headers(section, provider.headers);
  provider.ca_file = section.text("ca_file").value_or("");
  if (const auto proxy = section.text("proxy")) {
    const auto rules = ProxyRules::always(*proxy);
    if (rules.has_error()) {
      section.wrong("proxy", "`proxy` cannot be used: " + rules.error().text);
    } else {
      provider.proxy = *proxy;
    }
  }
  provider.stream = section.flag("stream").value_or(true);
  if (auto stall = section.table("stall", "stall")) {
    read_stall(std::move(*stall), provider.stall, &defaults.stall);
  }
  if (auto retry = section.table("retry", "retry")) {
    auto backoff = defaults.backoff;
    auto budget = defaults.budget;
    const auto written = read_retry(std::move(*retry), backoff, budget);
    provider.backoff = written.backoff ? std::optional(backoff) : std::nullopt;
    provider.budget = written.budget ? std::optional(budget) : std::nullopt;
  }
  read_models(section, provider, provider.stall.or_else(defaults.stall));
}

}  // namespace

bool same_source(const CredentialSource& a, const CredentialSource& b) {
  if (a.from.index() != b.from.index()) {
    return false;
  }
  if (const auto* const env = std::get_if<CredentialSource::Env>(&a.from)) {
    return env->name == std::get<CredentialSource::Env>(b.from).name;
  }
  if (const auto* const file = std::get_if<CredentialSource::File>(&a.from)) {
    return file->path == std::get<CredentialSource::File>(b.from).path;
  }
  if (const auto* const value = std::get_if<CredentialSource::Value>(&a.from)) {
    return value->secret == std::get<CredentialSource::Value>(b.from).secret;
  }
  return std::get<CredentialSource::OAuth>(a.from).token_file ==
         std::get<CredentialSource::OAuth>(b.from).token_file;
}

std::optional<ProviderConfig> read_provider(const std::string& name, Section section,
                                            const ProviderDefaults& defaults) {
  const auto names = preset_names();
  if (name.empty() || !std::all_of(name.begin(), name.end(), of_a_name)) {
    section.findings().add(section.place(), "`" + shown(name) + "` is no name of a provider",
                           "write letters, digits, dashes, dots and underscores");
  }
  const auto chosen = section.choice("preset", names);
  const auto* const preset =
      section.has("preset") ? (chosen ? preset_of(names[*chosen]) : nullptr) : preset_of(name);
  const bool guessing = section.has("preset") && preset == nullptr;

  std::array<std::string_view, llm::protocols.size()> words;
  std::transform(llm::protocols.begin(), llm::protocols.end(), words.begin(),
                 [](llm::Protocol p) { return to_string(p); });
  const auto word = section.choice("protocol", words);
  const auto url = read_base_url(section);

  if (preset == nullptr && !guessing && section.lacks("protocol")) {
    const auto meant = nearest(name, names);
    section.findings().add(
        section.place(), "`" + shown(name) + "` is no preset and has no `protocol`",
        meant.empty() ? "write protocol = \"openai_chat\", or preset = \"openai\""
                      : "did you mean [providers." + std::string(meant) + "]?");
  }
  if (!guessing && section.lacks("base_url") && (preset == nullptr || preset->base_url.empty())) {
    section.findings().add(
        section.place(), "`" + shown(name) + "` has no `base_url`",
        preset == nullptr ? "write base_url = \"https://api.example.com/v1\""
                          : "write base_url = \"https://RESOURCE.openai.azure.com/openai/v1\"");
  }

  // Read also where no provider comes of it: all errors at once.
  constexpr Preset none{"", llm::Protocol::openai_chat, "", llm::Authorization::bearer, ""};
  const auto& start = preset == nullptr ? none : *preset;
  auto provider = provider_of(start);
  provider.name = name;
  provider.place = section.place();
  if (word) {
    provider.protocol = llm::protocols[*word];
    if (start.authorization == llm::traits_of(start.protocol).authorization) {
      provider.authorization = llm::traits_of(provider.protocol).authorization;
    }
  }
  if (url) {
    provider.base_url = *url;
    provider.base_url_text = section.text("base_url").value_or("");
  }
  read_rest(section, provider, defaults);
  section.finish();
  const bool complete = (preset != nullptr || word) && (url || !provider.base_url_text.empty());
  return complete ? std::optional(std::move(provider)) : std::nullopt;
}

}  // namespace understudy::detail
