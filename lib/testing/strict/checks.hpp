/// The checks that rules of backends.json name, each in a function of that name. backends.json explains them (`checks`).
#pragma once

#include <string_view>
#include <vector>

#include "testing/strict/facts.hpp"

namespace understudy::testing::strict {

/// nullptr: there is none of that name.
Check check_of(std::string_view kind) noexcept;

namespace checks {

using Found = std::optional<Violation>;

// Members and headers.
Found top_allow(const Rule& rule, const Asked& asked);
Found top_refuse(const Rule& rule, const Asked& asked);
Found require(const Rule& rule, const Asked& asked);
Found equals(const Rule& rule, const Asked& asked);
Found header_require(const Rule& rule, const Asked& asked);
Found header_beta(const Rule& rule, const Asked& asked);
Found gated(const Rule& rule, const Asked& asked);
Found max_len(const Rule& rule, const Asked& asked);
Found pattern(const Rule& rule, const Asked& asked);
Found max_items(const Rule& rule, const Asked& asked);
Found number(const Rule& rule, const Asked& asked);
Found one_of(const Rule& rule, const Asked& asked);
Found stop_count(const Rule& rule, const Asked& asked);
Found choice_string(const Rule& rule, const Asked& asked);
Found input_list(const Rule& rule, const Asked& asked);
Found reserved_text(const Rule& rule, const Asked& asked);

// What depends on the model.
Found model_max_output(const Rule& rule, const Asked& asked);
Found model_sampling(const Rule& rule, const Asked& asked);
Found model_effort(const Rule& rule, const Asked& asked);
Found model_thinking(const Rule& rule, const Asked& asked);
Found model_forced_tool(const Rule& rule, const Asked& asked);
Found model_prefill(const Rule& rule, const Asked& asked);
Found model_tools_on_chat(const Rule& rule, const Asked& asked);
Found model_mid_system(const Rule& rule, const Asked& asked);
Found context_window(const Rule& rule, const Asked& asked);
Found temperature_by_thinking(const Rule& rule, const Asked& asked);
Found choice_with_thinking(const Rule& rule, const Asked& asked);

// Messages.
Found role(const Rule& rule, const Asked& asked);
Found role_order(const Rule& rule, const Asked& asked);
Found msg_refuse(const Rule& rule, const Asked& asked);
Found content_null(const Rule& rule, const Asked& asked);
Found block_types(const Rule& rule, const Asked& asked);
Found no_image_in_tool_result(const Rule& rule, const Asked& asked);
Found empty_text(const Rule& rule, const Asked& asked);
Found cache_breakpoints(const Rule& rule, const Asked& asked);
Found item_ids(const Rule& rule, const Asked& asked);
Found pairing(const Rule& rule, const Asked& asked);

// Tools.
Found tool_shape(const Rule& rule, const Asked& asked);
Found tool_unique(const Rule& rule, const Asked& asked);
Found schema_root(const Rule& rule, const Asked& asked);
Found schema_keys(const Rule& rule, const Asked& asked);
Found schema_keywords(const Rule& rule, const Asked& asked);
Found schema_properties(const Rule& rule, const Asked& asked);

// Reasoning.
Found signature(const Rule& rule, const Asked& asked);
Found loop_begins_with_thinking(const Rule& rule, const Asked& asked);
Found binding(const Rule& rule, const Asked& asked);
Found encrypted(const Rule& rule, const Asked& asked);
Found reasoning_followed(const Rule& rule, const Asked& asked);
Found needs_reasoning_content(const Rule& rule, const Asked& asked);
Found needs_signature(const Rule& rule, const Asked& asked);

}  // namespace checks
}  // namespace understudy::testing::strict
