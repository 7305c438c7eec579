/// Validates JSON text without parsing it: what is relayed unparsed must still be whole.
///
/// simdjson's On-Demand validates only what is read from it, and its DOM refuses integers beyond 64 bits, which are
/// valid JSON.
#pragma once

#include <string_view>

#include "understudy/export.hpp"

namespace understudy::json {

/// Returns whether `text` is one value by the grammar of RFC 8259, with nothing but white space around it, nested at
/// most 1,024 deep. Bytes above 0x7F are accepted in strings, valid UTF-8 or not. Linear, without allocations.
UNDERSTUDY_API bool is_valid(std::string_view text) noexcept;

/// The same, and whether the value is an object.
UNDERSTUDY_API bool is_valid_object(std::string_view text) noexcept;

}  // namespace understudy::json
