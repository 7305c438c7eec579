#include "config_keys.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "config_suggestions.hpp"

namespace understudy {
namespace {

constexpr std::array table{
    ConfigKey{"", "model", "[model]"},
    ConfigKey{"", "fallback_providers", "[[fallback_providers]]"},
    ConfigKey{"", "fallback", "[fallback]"},
    ConfigKey{"", "stall", "[stall]"},
    ConfigKey{"", "retry", "[retry]"},
    ConfigKey{"", "credentials", "[credentials]"},
    ConfigKey{"", "providers", "[providers.NAME]"},
    ConfigKey{"", "routes", "[[routes]]"},
    ConfigKey{"", "server", "[server]"},
    ConfigKey{"", "log", "[log]"},

    ConfigKey{"model", "default", R"("claude-opus-4-7")"},
    ConfigKey{"model", "provider", R"("anthropic")"},

    ConfigKey{"fallback_providers", "provider", R"("openai-codex")"},
    ConfigKey{"fallback_providers", "model", R"("gpt-5.5")"},

    ConfigKey{"fallback", "eager_on_timeout", "true"},
    ConfigKey{"fallback", "on_content_policy", R"("stop")"},
    ConfigKey{"fallback", "on_partial", R"("fail")"},
    ConfigKey{"fallback", "commit", R"("first_progress")"},
    ConfigKey{"fallback", "max_resumes", "2"},
    ConfigKey{"fallback", "max_retries", "2"},
    ConfigKey{"fallback", "patience", R"("3s")"},
    ConfigKey{"fallback", "deadline", R"("10m")"},
    ConfigKey{"fallback", "min_attempt", R"("1s")"},
    ConfigKey{"fallback", "hedge_after", R"("20s")"},
    ConfigKey{"fallback", "probe_grace", R"("2s")"},

    ConfigKey{"stall", "connect", R"("10s")"},
    ConfigKey{"stall", "write", R"("30s")"},
    ConfigKey{"stall", "first_progress", R"("60s")"},
    ConfigKey{"stall", "stale", R"("180s")"},
    ConfigKey{"stall", "silence", R"("90s")"},
    ConfigKey{"stall", "whole_answer", R"("600s")"},
    ConfigKey{"stall", "last_member", R"("600s")"},

    ConfigKey{"retry", "budget_ratio", "0.2"},
    ConfigKey{"retry", "budget_floor", "10"},
    ConfigKey{"retry", "backoff_base", R"("500ms")"},
    ConfigKey{"retry", "backoff_cap", R"("30s")"},

    ConfigKey{"credentials", "strategy", R"("fill_first")"},
    ConfigKey{"credentials", "recover", R"(["rate_limit", "billing", "auth", "auth_permanent"])"},

    ConfigKey{"providers.NAME", "preset", R"("openai")"},
    ConfigKey{"providers.NAME", "protocol", R"("openai_chat")"},
    ConfigKey{"providers.NAME", "base_url", R"("https://api.example.com/v1")"},
    ConfigKey{"providers.NAME", "credentials", R"([{env = "EXAMPLE_API_KEY"}])"},
    ConfigKey{"providers.NAME", "authorization", R"("bearer")"},
    ConfigKey{"providers.NAME", "headers", R"({x-team = "blue"})"},
    ConfigKey{"providers.NAME", "ca_file", R"("/etc/ssl/company.pem")"},
    ConfigKey{"providers.NAME", "proxy", R"("http://proxy.example.com:3128")"},
    ConfigKey{"providers.NAME", "stream", "true"},
    ConfigKey{"providers.NAME", "stall", R"({stale = "180s"})"},
    ConfigKey{"providers.NAME", "retry", "{budget_ratio = 0.2}"},
    ConfigKey{"providers.NAME", "models", R"({"qwen3" = {context_window = 32768}})"},

    ConfigKey{"providers.NAME.credentials", "env", R"("EXAMPLE_API_KEY")"},
    ConfigKey{"providers.NAME.credentials", "file", R"("/run/secrets/example")"},
    ConfigKey{"providers.NAME.credentials", "value", R"("...")"},
    ConfigKey{"providers.NAME.credentials", "oauth",
              R"({token_file = "...", token_url = "https://...", client_id = "..."})"},

    ConfigKey{"providers.NAME.credentials.oauth", "token_file",
              R"("/var/lib/example/tokens.json")"},
    ConfigKey{"providers.NAME.credentials.oauth", "token_url",
              R"("https://auth.example.com/oauth/token")"},
    ConfigKey{"providers.NAME.credentials.oauth", "client_id", R"("...")"},

    ConfigKey{"providers.NAME.models.MODEL", "context_window", "32768"},
    ConfigKey{"providers.NAME.models.MODEL", "accepts_prefill", "true"},
    ConfigKey{"providers.NAME.models.MODEL", "reasoning_floor", R"("300s")"},
    ConfigKey{"providers.NAME.models.MODEL", "stall", R"({stale = "180s"})"},

    ConfigKey{"routes", "model", R"("fast")"},
    ConfigKey{"routes", "chain", R"([{provider = "openai", model = "gpt-5.5"}])"},
    ConfigKey{"routes", "stall", R"({stale = "180s"})"},

    ConfigKey{"routes.chain", "provider", R"("openai")"},
    ConfigKey{"routes.chain", "model", R"("gpt-5.5")"},

    ConfigKey{"server", "listen", R"("127.0.0.1:8080")"},
    ConfigKey{"server", "keys", R"(["..."])"},
    ConfigKey{"server", "hosts", R"(["gateway.lan"])"},
    ConfigKey{"server", "origins", R"(["https://chat.example"])"},
    ConfigKey{"server", "tls", R"({cert = "/etc/ssl/own.pem", key = "/etc/ssl/own.key"})"},
    ConfigKey{"server", "keep_alive", R"("15s")"},
    ConfigKey{"server", "drain", R"("30s")"},
    ConfigKey{"server", "max_connections", "10000"},
    ConfigKey{"server", "max_body", R"("32MiB")"},
    ConfigKey{"server", "idle", R"("75s")"},
    ConfigKey{"server", "report", "true"},
    ConfigKey{"server", "threads", "4"},

    ConfigKey{"server.tls", "cert", R"("/etc/ssl/own.pem")"},
    ConfigKey{"server.tls", "key", R"("/etc/ssl/own.key")"},

    ConfigKey{"log", "level", R"("info")"},
    ConfigKey{"log", "format", R"("text")"},
    ConfigKey{"log", "prompts", "true"},
};

/// What other programs call a key; no edit distance leads from one to the other.
struct Alias {
  std::string_view section;
  std::string_view written;
  std::string_view meant;
};
constexpr std::array aliases{
    Alias{"", "fallbacks", "fallback_providers"},
    Alias{"", "logging", "log"},
    Alias{"model", "model", "default"},
    Alias{"model", "name", "default"},
    Alias{"fallback_providers", "default", "model"},
    Alias{"fallback", "timeout", "deadline"},
    Alias{"providers.NAME", "type", "protocol"},
    Alias{"providers.NAME", "url", "base_url"},
    Alias{"providers.NAME", "api_base", "base_url"},
    Alias{"providers.NAME", "endpoint", "base_url"},
    Alias{"providers.NAME", "api_key", "credentials"},
    Alias{"providers.NAME", "key", "credentials"},
    Alias{"providers.NAME", "env", "credentials"},
    Alias{"providers.NAME", "auth", "authorization"},
    Alias{"providers.NAME", "auth_type", "authorization"},
    Alias{"providers.NAME.credentials", "api_key", "value"},
    Alias{"providers.NAME.credentials", "path", "file"},
    Alias{"routes", "name", "model"},
    Alias{"routes", "members", "chain"},
    Alias{"server", "port", "listen"},
    Alias{"server", "host", "listen"},
    Alias{"server", "address", "listen"},
};

}  // namespace

std::span<const ConfigKey> config_keys() noexcept { return table; }

namespace detail {

std::vector<std::string_view> keys_in(std::string_view section) {
  std::vector<std::string_view> keys;
  for (const auto& row : table) {
    if (row.section == section || (section == "routes" && row.section == "fallback")) {
      keys.push_back(row.name);
    }
  }
  return keys;
}

const ConfigKey& key_in(std::string_view section, std::string_view key) {
  const auto* const row = std::find_if(table.begin(), table.end(), [&](const ConfigKey& k) {
    return k.name == key &&
           (k.section == section || (section == "routes" && k.section == "fallback"));
  });
  if (row == table.end()) {
    throw std::logic_error("no row in the table of keys for " + std::string(key));
  }
  return *row;
}

std::string head_of(std::string_view section) {
  const bool list = section == "fallback_providers" || section.starts_with("routes");
  return (list ? "[[" : "[") + std::string(section) + (list ? "]]" : "]");
}

std::string_view meant_by(std::string_view section, std::string_view written) {
  const auto* const alias = std::find_if(aliases.begin(), aliases.end(), [&](const Alias& a) {
    return a.section == section && a.written == written;
  });
  const auto keys = keys_in(section);
  if (std::find(keys.begin(), keys.end(), written) != keys.end()) {
    return written;
  }
  return alias != aliases.end() ? alias->meant : nearest(written, keys);
}

std::string suggest_key(std::string_view section, std::string_view written) {
  const auto meant = meant_by(section, written);
  if (meant == "credentials" && section == "providers.NAME") {
    return "write credentials = " + std::string(key_in(section, meant).example);
  }
  if (!meant.empty()) {
    return "did you mean `" + std::string(meant) + "`?";
  }
  std::vector<std::string> heads;
  for (const auto& row : table) {
    if (row.name == written && !row.section.empty()) {
      heads.push_back(head_of(row.section));
    }
  }
  if (heads.empty() || heads.size() > 3) {
    return "keys here are " + list_of(keys_in(section));
  }
  return "it belongs in " + list_of(std::vector<std::string_view>(heads.begin(), heads.end()), "");
}

}  // namespace detail
}  // namespace understudy
