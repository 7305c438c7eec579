/// Mends a request that a provider refused because of something that can be removed from it (failover.md 1.2). The
/// caller mends a copy once, and sends it again.
///
///     Request copy = request;
///     if (mend(copy, FailoverReason::thinking_signature)) { send(copy); }
#pragma once

#include "understudy/export.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

/// Removes from `request` what `reason` says was refused. The original body (`body`) is no longer used then. Returns
/// false, and changes nothing, if the request contains no such thing or the reason cannot be mended.
///
///     thinking_signature, invalid_encrypted_content   reasoning of earlier turns
///     reasoning_mandatory                             the setting that disables thinking
///     multimodal_tool_content_unsupported             images and documents in tool results
///     image_corrupt                                   images
///     llama_cpp_grammar_pattern                       `pattern` and `format` in schemas
///
/// (An image that is too large would have to be scaled, which the caller must do.)
UNDERSTUDY_API bool mend(Request& request, FailoverReason reason);

}  // namespace understudy::llm
