/// How many children of scopes are alive in the whole process; every test ends at zero.
#pragma once

#include <cstdint>
#include <optional>

#include "understudy/export.hpp"

namespace understudy {

/// Any thread. Empty where the library was built without counting (a release build, or no tests).
UNDERSTUDY_API std::optional<std::int64_t> live_children() noexcept;

}  // namespace understudy
