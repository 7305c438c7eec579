/// What a `response` object repeats of its request.
///
/// Invariants
/// 1. Every member that the Open Responses schema requires and that does not come from the answer is there, with the
///    type that the schema demands: a value of another type is replaced by the API's default.
/// 2. The values are the client's own JSON, in one line.
#pragma once

#include "understudy/llm/request.hpp"

namespace understudy::llm::detail::openai_responses {

/// Returns the members, in the order in which they are written. A request that is not a Responses client's is first
/// written as one.
ExtraFields echo_of(const Request& asked);

}  // namespace understudy::llm::detail::openai_responses
