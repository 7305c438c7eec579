/// The text of backends.json, compiled in by embed.py.
#pragma once

#include <span>
#include <string_view>

namespace understudy::testing::strict {

/// The pieces of one JSON text, in order.
std::span<const std::string_view> embedded() noexcept;

}  // namespace understudy::testing::strict
