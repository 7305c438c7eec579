/// What a model of another maker is called in a list that Claude Code reads; see lib/gateway/listings.hpp.
///
/// Invariants
/// 1. One constant: the gateway adds it to names and takes it away, and the codec leaves it out of what is displayed.
#pragma once

#include <string_view>

namespace understudy::llm::detail {

inline constexpr std::string_view picker_prefix = "anthropic/";

}  // namespace understudy::llm::detail
