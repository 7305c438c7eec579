#include "testing/strict/checks.hpp"

#include <algorithm>

namespace understudy::testing::strict {
namespace {

struct NamedCheck {
  std::string_view kind;
  Check check;
};

constexpr NamedCheck named_checks[] = {
    {"top_allow", checks::top_allow},
    {"top_refuse", checks::top_refuse},
    {"require", checks::require},
    {"equals", checks::equals},
    {"header_require", checks::header_require},
    {"header_beta", checks::header_beta},
    {"gated", checks::gated},
    {"max_len", checks::max_len},
    {"pattern", checks::pattern},
    {"max_items", checks::max_items},
    {"number", checks::number},
    {"one_of", checks::one_of},
    {"stop_count", checks::stop_count},
    {"choice_string", checks::choice_string},
    {"input_list", checks::input_list},
    {"reserved_text", checks::reserved_text},
    {"model_max_output", checks::model_max_output},
    {"model_sampling", checks::model_sampling},
    {"model_effort", checks::model_effort},
    {"model_thinking", checks::model_thinking},
    {"model_forced_tool", checks::model_forced_tool},
    {"model_prefill", checks::model_prefill},
    {"model_tools_on_chat", checks::model_tools_on_chat},
    {"model_mid_system", checks::model_mid_system},
    {"context_window", checks::context_window},
    {"temperature_by_thinking", checks::temperature_by_thinking},
    {"choice_with_thinking", checks::choice_with_thinking},
    {"role", checks::role},
    {"role_order", checks::role_order},
    {"msg_refuse", checks::msg_refuse},
    {"content_null", checks::content_null},
    {"block_types", checks::block_types},
    {"no_image_in_tool_result", checks::no_image_in_tool_result},
    {"empty_text", checks::empty_text},
    {"cache_breakpoints", checks::cache_breakpoints},
    {"item_ids", checks::item_ids},
    {"pairing", checks::pairing},
    {"tool_shape", checks::tool_shape},
    {"tool_unique", checks::tool_unique},
    {"schema_root", checks::schema_root},
    {"schema_keys", checks::schema_keys},
    {"schema_keywords", checks::schema_keywords},
    {"schema_properties", checks::schema_properties},
    {"signature", checks::signature},
    {"loop_begins_with_thinking", checks::loop_begins_with_thinking},
    {"binding", checks::binding},
    {"encrypted", checks::encrypted},
    {"reasoning_followed", checks::reasoning_followed},
    {"needs_reasoning_content", checks::needs_reasoning_content},
    {"needs_signature", checks::needs_signature},
};

}  // namespace

Check check_of(std::string_view kind) noexcept {
  const auto found = std::find_if(std::begin(named_checks), std::end(named_checks),
                                  [&](const NamedCheck& one) { return one.kind == kind; });
  return found == std::end(named_checks) ? nullptr : found->check;
}

}  // namespace understudy::testing::strict
