/// The number of children of scopes alive in the whole process; it is zero at the end of every test.
#pragma once

#include <cstdint>
#include <optional>

#include "understudy/export.hpp"

namespace understudy {

/// Threads: any. Empty if the library was built without counting (a release build, or a build without tests).
UNDERSTUDY_API std::optional<std::int64_t> live_children() noexcept;

}  // namespace understudy
