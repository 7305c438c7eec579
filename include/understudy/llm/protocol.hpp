/// The protocols that providers and clients speak.
///
/// What is particular about each is in its folder of lib/llm and in its row (protocol_traits.hpp). No other code
/// switches over protocols.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

enum class Protocol : unsigned char {
  anthropic_messages,  ///< POST /v1/messages
  openai_chat,         ///< POST /v1/chat/completions, and the many servers that speak it too
  openai_responses,    ///< POST /v1/responses, and the ChatGPT/Codex back end
};

/// All of them, in the enumeration's order.
inline constexpr std::array protocols{Protocol::anthropic_messages, Protocol::openai_chat,
                                      Protocol::openai_responses};

/// The name in a configuration, which is the enumerator's.
UNDERSTUDY_API std::string_view to_string(Protocol protocol) noexcept;

/// The protocol of that name, exactly as written, or nothing.
UNDERSTUDY_API std::optional<Protocol> protocol_from(std::string_view name) noexcept;

/// Whether a body is a stream of events or one JSON document.
enum class BodyShape : unsigned char { stream, whole };

}  // namespace understudy::llm
