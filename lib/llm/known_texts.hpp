/// Texts that the library puts into requests, and one that it recognizes there. Each is written once, so that a request
/// that is translated and one that is edited say the same.
#pragma once

#include <string_view>

namespace understudy::llm::detail {

/// Claude Code's first system block is a text for Anthropic's billing, which names the client. Only Anthropic gets it.
inline constexpr std::string_view billing_text = "x-anthropic-billing-header";

/// The user's message after an answer that was begun, where the model cannot continue it in place.
inline constexpr std::string_view continue_text = "Continue exactly where your last message ends.";

/// In place of something that a provider does not accept: an empty list of parts would be refused as well.
inline constexpr std::string_view left_out_text =
    "[left out: the provider does not accept it here]";

/// The system text for back ends that require one.
inline constexpr std::string_view plain_system_text = "You are a helpful assistant.";

}  // namespace understudy::llm::detail
