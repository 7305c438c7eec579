/// The languages that providers and clients speak.
#pragma once

#include <optional>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

enum class Protocol : unsigned char {
  anthropic_messages,  ///< POST /v1/messages
  openai_chat,         ///< POST /v1/chat/completions, and the many servers that speak likewise
  openai_responses,    ///< POST /v1/responses, and the ChatGPT/Codex backend
};

/// As in configuration, and as the enumerator is called.
UNDERSTUDY_API std::string_view to_string(Protocol protocol) noexcept;

/// The protocol of that name, exactly as written, or nothing.
UNDERSTUDY_API std::optional<Protocol> protocol_from(std::string_view name) noexcept;

/// Whether a body is a stream of events or one JSON document.
enum class BodyShape : unsigned char { stream, whole };

}  // namespace understudy::llm
