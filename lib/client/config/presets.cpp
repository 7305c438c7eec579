#include "client/config/presets.hpp"

#include <algorithm>
#include <array>

#include "understudy/client/config.hpp"

namespace understudy {
namespace {

using config::Preset;

// Base URLs: protocols.md 2 to 6. Gemini: its OpenAI-compatible endpoint (ai.google.dev, OpenAI
// compatibility). openai-codex is OpenAI's public Responses API, which takes a plain key: this program does not
// imitate other clients, so a user of the back end behind a ChatGPT login writes its base_url and oauth.
constexpr std::array presets{
    Preset{"anthropic", llm::Protocol::anthropic_messages, "https://api.anthropic.com",
           llm::Authorization::x_api_key, "ANTHROPIC_API_KEY"},
    Preset{"openai", llm::Protocol::openai_chat, "https://api.openai.com/v1",
           llm::Authorization::bearer, "OPENAI_API_KEY"},
    Preset{"openai-codex", llm::Protocol::openai_responses, "https://api.openai.com/v1",
           llm::Authorization::bearer, "OPENAI_API_KEY"},
    Preset{"openrouter", llm::Protocol::openai_chat, "https://openrouter.ai/api/v1",
           llm::Authorization::bearer, "OPENROUTER_API_KEY"},
    Preset{"deepseek", llm::Protocol::openai_chat, "https://api.deepseek.com",
           llm::Authorization::bearer, "DEEPSEEK_API_KEY"},
    Preset{"groq", llm::Protocol::openai_chat, "https://api.groq.com/openai/v1",
           llm::Authorization::bearer, "GROQ_API_KEY"},
    Preset{"mistral", llm::Protocol::openai_chat, "https://api.mistral.ai/v1",
           llm::Authorization::bearer, "MISTRAL_API_KEY"},
    Preset{"gemini", llm::Protocol::openai_chat,
           "https://generativelanguage.googleapis.com/v1beta/openai", llm::Authorization::bearer,
           "GEMINI_API_KEY"},
    Preset{"ollama", llm::Protocol::openai_chat, "http://localhost:11434/v1",
           llm::Authorization::bearer, ""},
    Preset{"azure", llm::Protocol::openai_chat, "", llm::Authorization::api_key,
           "AZURE_OPENAI_API_KEY"},
};

}  // namespace

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names(presets.size());
  std::transform(presets.begin(), presets.end(), names.begin(),
                 [](const Preset& p) { return p.name; });
  return names;
}

namespace config {

const Preset* preset_of(std::string_view name) noexcept {
  const auto* const preset =
      std::find_if(presets.begin(), presets.end(), [&](const Preset& p) { return p.name == name; });
  return preset == presets.end() ? nullptr : preset;
}

ProviderConfig provider_of(const Preset& preset) {
  const auto place = preset.base_url.empty() ? "http://none.invalid" : preset.base_url;
  ProviderConfig provider(std::string(preset.name), preset.protocol, parse_url(place).value());
  provider.preset = preset.name;
  provider.base_url_text = preset.base_url;
  provider.authorization = preset.authorization;
  if (!preset.env.empty()) {
    provider.credentials.emplace_back().from = CredentialSource::Env{std::string(preset.env)};
  }
  return provider;
}

}  // namespace config
}  // namespace understudy
