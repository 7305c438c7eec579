/// What a carrier (understudy/llm/carrier.hpp) gives back to the member that can read it.
///
/// Invariants
/// 1. A carrier is input from a client: JSON in it is checked to be an object of the expected type before it becomes a
///    part of a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/llm/carrier.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm::detail {

/// The original of a block of Anthropic's thinking, as its JSON. `block`: what the client sent, with the carrier as its
/// `signature`. Nothing: the carrier holds something else.
std::optional<std::string> anthropic_block(const Carrier& carrier, std::string_view block);

/// The element of `reasoning_details` that a carrier holds, with its readable text. Nothing: it holds something else.
std::optional<std::string> reasoning_detail(const Carrier& carrier, std::string_view text);

/// The `extra_content` of a call that Gemini has signed.
std::string call_signature_json(const Carrier& carrier);

/// Makes reasoning whose `seal` is a carrier that of its issuer, in the issuer's protocol. `part` has the text that stood
/// beside the carrier, and as `json` the block if it is one of Anthropic's. If the carrier is not readable, the part
/// loses everything, so that no provider gets it.
void open_carrier(ReasoningPart& part);

}  // namespace understudy::llm::detail
