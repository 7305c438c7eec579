/// Ids for answers and items that the provider did not name.
///
/// Invariants
/// 1. Such an id is recognizable: `us1_` follows its prefix, as in `msg_us1_chatcmpl-7_0`. Providers' own ids are
///    digits and letters behind the prefix, so none of them is mistaken for one of ours.
/// 2. Clients send ids back. No provider knows ours, so they are removed before a request is sent.
#pragma once

#include <string>
#include <string_view>

namespace understudy::llm::detail {

/// Follows the prefix of an id that this library made up.
inline constexpr std::string_view made_up_mark = "us1_";

/// Returns an id for an answer, unlike all others of this process and, in all likelihood, of any other. Threads: any.
std::string made_up_id(std::string_view prefix);

/// Returns whether the id is one that this library made up.
bool is_made_up(std::string_view id) noexcept;

}  // namespace understudy::llm::detail
