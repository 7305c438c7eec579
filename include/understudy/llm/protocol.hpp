/// The protocols that providers and clients speak.
///
/// The specifics of each protocol are in its folder of lib/llm and in its row (protocol_traits.hpp). No other code
/// switches over protocols.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

/// A protocol of an LLM API.
enum class Protocol : unsigned char {
  anthropic_messages,  ///< POST /v1/messages
  openai_chat,         ///< POST /v1/chat/completions, also of compatible servers
  openai_responses,    ///< POST /v1/responses, and the ChatGPT/Codex back end
};

/// All protocols, in the order of the enumeration.
inline constexpr std::array protocols{Protocol::anthropic_messages, Protocol::openai_chat,
                                      Protocol::openai_responses};

/// Returns the name in a configuration, which is the name of the enumerator. It lives as long as the program.
UNDERSTUDY_API std::string_view to_string(Protocol protocol) noexcept;

/// Returns the protocol with exactly that name, or nothing.
UNDERSTUDY_API std::optional<Protocol> protocol_from(std::string_view name) noexcept;

/// The form of a response body: a stream of events, or one JSON document.
enum class BodyShape : unsigned char { stream, whole };

}  // namespace understudy::llm
