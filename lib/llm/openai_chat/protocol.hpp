/// OpenAI's Chat Completions, and the many servers that speak likewise (protocols.md 3 and 5).
///
/// What is particular about it
/// 1. Blocks are made by the decoder: a new one where text, refusal, reasoning or another call begins.
///    Calls end at Finish, all at once; each is complete if its arguments are.
/// 2. Finish is `finish_reason`, End is `[DONE]`. Usage may come before, with or after Finish. `[DONE]`
///    without a finish reason is no complete answer, but for servers whose reason is always "".
/// 3. Start is the first chunk of the answer; a chunk that says nothing (a role, an empty delta, prompt
///    filter results) is Other and no progress.
/// 4. Reasoning is taken from whichever of its many fields has it first. A finish reason that means
///    failure is an Error.
/// 5. Of several choices only the first is read. A whole answer is folded from the chunks and has all of them
///    (protocols.md 3.6).
#pragma once

#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm::detail::openai_chat {

extern const ProtocolTraits traits;

}  // namespace understudy::llm::detail::openai_chat
