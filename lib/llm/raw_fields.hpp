/// Looks into an event's own bytes for what the neutral form leaves out: indices, sequence numbers, ids of items.
///
/// A member is found by its name in quotes: within a string of JSON that cannot stand, since quotes are escaped
/// there. So names are given with their quotes: R"("index")". For events of the provider's own making, which have each of these once.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace understudy::llm::detail {

/// The value of `"name": 12`.
std::optional<std::uint64_t> raw_number(std::string_view raw, std::string_view quoted_name);

/// Of `"name": "text"`, as it is written. Empty: there is none.
std::string_view raw_text(std::string_view raw, std::string_view quoted_name);

/// Of `"name": {...}`, with its braces. Empty: there is none.
std::string_view raw_object(std::string_view raw, std::string_view quoted_name);

}  // namespace understudy::llm::detail
