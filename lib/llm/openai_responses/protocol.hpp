/// OpenAI's Responses API and the ChatGPT/Codex backend (protocols.md 4).
///
/// What is particular about it
/// 1. An answer is a list of items. A block is a text or refusal part of a message, a reasoning item (its
///    summaries and its text, one after the other), or a function call. Items are told apart by their
///    index: some servers change ids from event to event.
/// 2. What `*.done` and the terminal repeat is read only where the deltas did not say it. A call ends with
///    its item; its arguments and the encrypted content of reasoning are what the finished item says.
/// 3. Finish, Usage and End come with the terminal: `response.completed`, `.incomplete` or `.done`.
///    `error` and `response.failed` are an Error, said once. The end of the stream before is no ending.
/// 4. Start is the first event that has the answer's id. `keepalive`, `ping`, and `response.queued` or
///    `.in_progress` when they come again are heartbeats. What no other protocol has (searches, custom
///    tools, rate limits) is Other.
#pragma once

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm::detail::openai_responses {

extern const ProtocolTraits traits;

}  // namespace understudy::llm::detail::openai_responses
