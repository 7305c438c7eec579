/// Requests that a provider refuses for something that can be left out of them (failover.md 1.2): mended once,
/// in a copy, and sent again.
///
///     Request copy = request;
///     if (mend(copy, FailoverReason::thinking_signature)) { send(copy); }
#pragma once

#include "understudy/export.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

/// Takes out of `request` what `reason` says is refused; what it came as (`body`) no longer counts then.
/// False if there is no such thing in it, or nothing that can be mended.
///
///     thinking_signature, invalid_encrypted_content   reasoning of earlier turns
///     reasoning_mandatory                             the wish not to think
///     multimodal_tool_content_unsupported             images and documents in tool results
///     image_corrupt                                   images
///     llama_cpp_grammar_pattern                       `pattern` and `format` in schemas
///
/// (An image that is too large would have to be scaled, which is the caller's to do.)
UNDERSTUDY_API bool mend(Request& request, FailoverReason reason);

}  // namespace understudy::llm
