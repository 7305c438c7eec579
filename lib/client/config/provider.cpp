#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>

#include "client/config/presets.hpp"
#include "client/config/sections.hpp"
#include "text/ascii.hpp"
#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/net/proxy.hpp"

namespace understudy::config {
namespace {

constexpr std::string_view provider_path = "providers.NAME";

// A provider is read, and its keys are checked, also where no provider comes of it: all errors at once.
constexpr Preset no_preset{"", llm::Protocol::openai_chat, "", llm::Authorization::bearer, ""};

struct ProviderDraft {
  ProviderConfig provider = provider_of(no_preset);
  ProviderDefaults defaults;
  const Preset* preset = nullptr;
  bool preset_unknown = false;  // the file names one that does not exist
  bool has_protocol = false;
  bool has_base_url = false;
};

using ProviderKey = Key<ProviderDraft>;

template <class Member>
auto provider(Member member) {
  return [=](ProviderDraft& draft) -> auto& { return draft.provider.*member; };
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

/// Begins the provider: all that the preset says, by which the other keys are read.
void read_preset(const Section& section, ProviderDraft& draft) {
  const auto names = preset_names();
  const auto chosen = section.choice("preset", names);
  if (section.has("preset")) {
    draft.preset = chosen ? preset_of(names[*chosen]) : nullptr;
    draft.preset_unknown = draft.preset == nullptr;
  } else {
    draft.preset = preset_of(draft.provider.name);
  }
  const auto name = draft.provider.name;
  draft.provider = provider_of(draft.preset == nullptr ? no_preset : *draft.preset);
  draft.provider.name = name;
  draft.provider.place = section.place();
}

std::vector<std::string_view> protocol_names() {
  std::vector<std::string_view> names(llm::protocols.size());
  std::transform(llm::protocols.begin(), llm::protocols.end(), names.begin(),
                 [](llm::Protocol p) { return llm::to_string(p); });
  return names;
}

/// A preset that speaks several protocols has an address for each, and its own way to send keys.
void take_other_back_end(ProviderDraft& draft) {
  const auto* const back_end =
      llm::Catalog::built_in().back_end(draft.provider.preset, draft.provider.protocol);
  if (draft.preset == nullptr || back_end == nullptr || draft.preset->base_url.empty()) {
    return;
  }
  draft.provider.base_url = parse_url(back_end->base_url).value();
  draft.provider.base_url_text = back_end->base_url;
  draft.provider.authorization = draft.preset->authorization;
}

void read_protocol(const Section& section, ProviderDraft& draft) {
  const auto names = protocol_names();
  if (const auto word = section.choice("protocol", names)) {
    const auto preset_protocol = draft.provider.protocol;
    draft.has_protocol = true;
    draft.provider.protocol_given = true;
    draft.provider.protocol = llm::protocols[*word];
    if (draft.provider.authorization == llm::traits_of(preset_protocol).authorization) {
      draft.provider.authorization = llm::traits_of(draft.provider.protocol).authorization;
    }
    if (draft.provider.protocol != preset_protocol) {
      take_other_back_end(draft);
    }
  }
}

/// The first name in the query under which providers take a key, if there is one.
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

void read_base_url(const Section& section, ProviderDraft& draft) {
  auto url = read_url(section, "base_url");
  // Reports and health marks name the provider by it, so no key may be in it.
  if (const auto name = url ? key_in_query(url->path) : std::nullopt) {
    section.wrong("base_url", "`base_url` contains a credential, " + ticked(*name),
                  "write credentials = [{env = \"EXAMPLE_API_KEY\"}], and the URL without it");
  } else if (url) {
    draft.has_base_url = true;
    draft.provider.base_url = std::move(*url);
    draft.provider.base_url_text = section.text("base_url").value_or("");
  }
}

void read_proxy(const Section& section, ProviderDraft& draft) {
  if (const auto proxy = section.text("proxy")) {
    const auto rules = ProxyRules::always(*proxy);
    if (rules.has_error()) {
      section.wrong("proxy", "`proxy` cannot be used: " + rules.error().text);
    } else {
      draft.provider.proxy = *proxy;
    }
  }
}

void read_own_stall(const Section& section, ProviderDraft& draft) {
  if (const auto stall = section.table("stall", "stall")) {
    read_stall(*stall, draft.provider.stall, draft.defaults.stall);
  }
}

void read_own_retry(const Section& section, ProviderDraft& draft) {
  if (const auto table = section.table("retry", "retry")) {
    auto retry = draft.defaults.retry;
    const auto written = read_retry(*table, retry);
    draft.provider.backoff = written.backoff ? std::optional(retry.backoff) : std::nullopt;
    draft.provider.budget = written.budget ? std::optional(retry.budget) : std::nullopt;
  }
}

const KeyTable<ProviderDraft>& provider_keys() {
  static const KeyTable<ProviderDraft> keys(
      SectionRow(provider_path,
                 "A provider that is not a preset, or what differs from the preset of that name.")
          .with_header("[providers.example]"),
      {
          ProviderKey("preset", {"name of a preset", read_preset},
                      "The preset that provides what this section does not set.")
              .default_note("the preset of the same name, if there is one")
              .example(R"("openai")"),
          ProviderKey("back_end",
                      {"id of a back end",
                       [](const Section& section, ProviderDraft& draft) {
                         draft.provider.back_end = section.text("back_end").value_or("");
                         draft.provider.back_end_place = section.place_of("back_end");
                       }},
                      "The service of the catalog whose rules requests follow (`understudy "
                      "catalog`; `[catalog]` adds others).")
              .default_note("the preset's, if there is one")
              .example(R"("my-server")"),
          ProviderKey("protocol", {list_of_strings(protocol_names()), read_protocol},
                      "The API that the provider speaks.")
              .default_note("the preset's")
              .in_force()
              .alias("type")
              .example(R"("openai_chat")"),
          ProviderKey("base_url", {"URL", read_base_url}, "As the provider's own SDK takes it.")
              .default_note("the preset's; azure, bedrock-mantle and vertex have none")
              .in_force()
              .alias("url")
              .alias("api_base")
              .alias("endpoint")
              .example(R"("https://api.example.com/v1")"),
          ProviderKey(
              "credentials",
              {"list of tables",
               [](const Section& section, ProviderDraft& draft) {
                 read_credential_sources(section, draft.provider.credentials);
               }},
              "Each comes from an environment variable, a file, this file, a command, the client "
              "or a token "
              "file, which is refreshed when its token has expired. `strategy` of `[credentials]` "
              "says which one "
              "is used.")
              .default_note("the preset's variable; with `[]`, no credential is sent")
              .suggest_example()
              .alias("api_key")
              .alias("key")
              .alias("env")
              .example(R"([{env = "EXAMPLE_API_KEY"}])")
              .long_example(
                  R"([{env = "EXAMPLE_API_KEY"}, {file = "/run/secrets/example"}, {value = "..."}, )"
                  R"({command = ["gcloud", "auth", "print-access-token"]}, {client = true}, )"
                  R"({oauth = {token_file = "/var/lib/example/tokens.json", )"
                  R"(token_url = "https://auth.example.com/oauth/token", client_id = "example"}}])"),
          ProviderKey(
              "authorization",
              Choice<llm::Authorization>({{"bearer", llm::Authorization::bearer},
                                          {"x-api-key", llm::Authorization::x_api_key},
                                          {"api-key", llm::Authorization::api_key}}),
              provider(&ProviderConfig::authorization),
              "How a credential is sent: `\"bearer\"` (`authorization: Bearer ...`), "
              "`\"x-api-key\"` or `\"api-key\"` (headers of that name). `\"bearer\"` is for "
              "servers that speak anthropic_messages and do not take x-api-key, such as OpenRouter "
              "and LiteLLM. A setup token of Claude is always sent so.")
              .default_note("the preset's, else `\"x-api-key\"` for anthropic_messages and "
                            "`\"bearer\"` for the others")
              .alias("auth")
              .alias("auth_type"),
          ProviderKey("max_concurrent", Whole(1, most_calls),
                      provider(&ProviderConfig::max_concurrent),
                      "How many calls may use one of its credentials at the same time, for plans "
                      "that allow only a few.")
              .default_note("that of `[credentials]`")
              .example("3"),
          ProviderKey("headers",
                      {"table of strings",
                       [](const Section& section, ProviderDraft& draft) {
                         read_headers(section, draft.provider.headers);
                       }},
                      "Headers that are sent with every request. Credentials are not allowed here.")
              .default_note("none")
              .example(R"({x-team = "blue"})"),
          ProviderKey("ca_file", String(), provider(&ProviderConfig::ca_file),
                      "A file with the certificate authorities that are trusted.")
              .default_note("the system's")
              .example(R"("/etc/ssl/company.pem")"),
          ProviderKey("proxy", {"URL", read_proxy}, "The HTTP proxy.")
              .default_note("as HTTPS_PROXY and NO_PROXY say")
              .example(R"("http://proxy.example.com:3128")"),
          ProviderKey(
              "stream", Flag(), provider(&ProviderConfig::stream),
              "False if the provider cannot stream. Then only `whole_answer` detects a stall."),
          ProviderKey("stall", {"table", read_own_stall},
                      "Any keys of `[stall]`, for this provider only.")
              .default_note("none")
              .example(R"({stale = "180s"})")
              .long_example(R"({connect = "3s"})"),
          ProviderKey("retry", {"table", read_own_retry},
                      "Any keys of `[retry]`, for this provider only.")
              .default_note("none")
              .example("{budget_ratio = 0.2}")
              .long_example(R"({budget_ratio = 0.1, backoff_base = "1s"})"),
          ProviderKey("models",
                      {"table of tables",
                       [](const Section& section, ProviderDraft& draft) {
                         read_models(section, draft.provider,
                                     draft.provider.stall.or_else(draft.defaults.stall));
                       }},
                      "What is known of the provider's models, by their names.")
              .default_note("none")
              .example(R"({"qwen3" = {context_window = 32768}})"),
      });
  return keys;
}

void check_whole(const Section& section, const ProviderDraft& draft) {
  const auto& name = draft.provider.name;
  const auto* const preset = draft.preset;
  if (preset == nullptr && !draft.preset_unknown && section.lacks("protocol")) {
    const auto meant = nearest(name, preset_names());
    section.findings().add(section.place(), ticked(name) + " is not a preset and has no `protocol`",
                           meant.empty()
                               ? "write protocol = \"openai_chat\", or preset = \"openai\""
                               : "did you mean [providers." + std::string(meant) + "]?");
  }
  const bool url_known = draft.preset_unknown || (preset != nullptr && !preset->base_url.empty());
  if (!url_known && section.lacks("base_url")) {
    section.findings().add(
        section.place(), ticked(name) + " has no `base_url`",
        preset == nullptr ? "write base_url = \"https://api.example.com/v1\""
                          : "write base_url = \"" +
                                example_url(draft.provider.preset, draft.provider.protocol) + "\"");
  }
}

}  // namespace

const SectionRow& provider_section() { return provider_keys().section(); }

std::optional<ProviderConfig> read_provider(const std::string& name, const Section& section,
                                            const ProviderDefaults& defaults) {
  if (!is_name(name)) {
    section.findings().add(section.place(), ticked(name) + " is not the name of a provider",
                           "write letters, digits, dashes, dots and underscores");
  }
  ProviderDraft draft;
  draft.provider.name = name;
  draft.defaults = defaults;
  provider_keys().read(section, draft);
  check_whole(section, draft);
  section.finish();
  const bool complete = (draft.preset != nullptr || draft.has_protocol) &&
                        (draft.has_base_url || !draft.provider.base_url_text.empty());
  return complete ? std::optional(std::move(draft.provider)) : std::nullopt;
}

}  // namespace understudy::config
