/// Anthropic's Messages API (protocols.md 2).
///
/// What is particular about it
/// 1. Blocks are the wire's own: `content_block_start`, deltas, `content_block_stop`, each with an index.
///    Text and thinking blocks' begin and end, citations, and blocks of types that only Anthropic knows
///    come as Other.
/// 2. Finish is `message_delta`, End is `message_stop`. Usage comes with `message_start` and, cumulative,
///    with `message_delta`; what the latter leaves out keeps its value.
/// 3. A block that is still open at Finish (seen at `max_tokens`) is closed by the decoder, as incomplete.
///    A second `message_start` closes what is open likewise, and starts anew.
/// 4. `ping` is a heartbeat. An `error` event ends the answer.
#pragma once

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm::detail::anthropic {

extern const ProtocolTraits traits;

}  // namespace understudy::llm::detail::anthropic
