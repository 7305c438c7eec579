#include "client/config/presets.hpp"

#include <algorithm>
#include <array>

#include "understudy/client/config.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy {
namespace {

using config::Preset;

// Base URLs: docs/backends.md. openai-codex is OpenAI's public Responses API, which takes a plain key; codex is the back
// end of the ChatGPT sign-in, which takes the tokens of Codex's sign-in file.
using llm::Authorization;
using llm::Protocol;
constexpr std::array presets{
    Preset{"anthropic", Protocol::anthropic_messages, "https://api.anthropic.com",
           Authorization::x_api_key, "ANTHROPIC_API_KEY"},
    Preset{"openai", Protocol::openai_chat, "https://api.openai.com/v1", Authorization::bearer,
           "OPENAI_API_KEY"},
    Preset{"openai-codex", Protocol::openai_responses, "https://api.openai.com/v1",
           Authorization::bearer, "OPENAI_API_KEY"},
    Preset{"codex", Protocol::openai_responses, "https://chatgpt.com/backend-api/codex",
           Authorization::bearer, ""},
    Preset{"openrouter", Protocol::openai_chat, "https://openrouter.ai/api/v1",
           Authorization::bearer, "OPENROUTER_API_KEY"},
    Preset{"deepseek", Protocol::openai_chat, "https://api.deepseek.com", Authorization::bearer,
           "DEEPSEEK_API_KEY"},
    Preset{"groq", Protocol::openai_chat, "https://api.groq.com/openai/v1", Authorization::bearer,
           "GROQ_API_KEY"},
    Preset{"mistral", Protocol::openai_chat, "https://api.mistral.ai/v1", Authorization::bearer,
           "MISTRAL_API_KEY"},
    Preset{"xai", Protocol::openai_chat, "https://api.x.ai/v1", Authorization::bearer,
           "XAI_API_KEY"},
    Preset{"zai", Protocol::openai_chat, "https://api.z.ai/api/paas/v4", Authorization::bearer,
           "ZAI_API_KEY"},
    Preset{"kimi", Protocol::openai_chat, "https://api.moonshot.ai/v1", Authorization::bearer,
           "MOONSHOT_API_KEY"},
    Preset{"minimax", Protocol::openai_chat, "https://api.minimax.io/v1", Authorization::bearer,
           "MINIMAX_API_KEY"},
    Preset{"gemini", Protocol::openai_chat,
           "https://generativelanguage.googleapis.com/v1beta/openai", Authorization::bearer,
           "GEMINI_API_KEY"},
    Preset{"ollama", Protocol::openai_chat, "http://localhost:11434/v1", Authorization::bearer, ""},
    Preset{"vllm", Protocol::openai_chat, "http://localhost:8000/v1", Authorization::bearer, ""},
    Preset{"llama-cpp", Protocol::openai_chat, "http://localhost:8080/v1", Authorization::bearer,
           ""},
    Preset{"lmstudio", Protocol::openai_chat, "http://localhost:1234/v1", Authorization::bearer,
           ""},
    Preset{"azure", Protocol::openai_chat, "", Authorization::api_key, "AZURE_OPENAI_API_KEY"},
    Preset{"bedrock-mantle", Protocol::anthropic_messages, "", Authorization::bearer,
           "AWS_BEARER_TOKEN_BEDROCK"},
    Preset{"vertex", Protocol::anthropic_messages, "", Authorization::bearer, ""},
};

}  // namespace

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names(presets.size());
  std::transform(presets.begin(), presets.end(), names.begin(),
                 [](const Preset& p) { return p.name; });
  return names;
}

namespace config {

std::string example_url(std::string_view preset, llm::Protocol protocol) {
  const auto* const back_end = llm::Catalog::built_in().back_end(preset, protocol);
  return back_end == nullptr ? "https://api.example.com/v1" : back_end->base_url;
}

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
  if (preset.name == "codex") {  // the client and the place are those of Codex's own sign-in
    provider.credentials.emplace_back().from = CredentialSource::OAuth{
        "$CODEX_HOME/auth.json", parse_url("https://auth.openai.com/oauth/token").value(),
        "app_EMoamEEZ73f0CkXaXp7hrann"};
  }
  if (preset.name == "vertex") {  // a token of the cloud project, for about an hour
    provider.credentials.emplace_back().from =
        CredentialSource::Command{{"gcloud", "auth", "print-access-token"}};
  }
  if (!preset.env.empty()) {
    provider.credentials.emplace_back().from = CredentialSource::Env{std::string(preset.env)};
  }
  return provider;
}

}  // namespace config
}  // namespace understudy
