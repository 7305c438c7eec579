/// The wall clock, for dates such as `created_at` of an answer. To measure time, use clock.hpp.
///
/// Invariants
/// 1. In virtual time it is virtual too: it begins at `virtual_wall_epoch` and moves with `Clock`.
///
///     const auto created = unix_time();  // 2026-11-29T23:13:19Z
#pragma once

#include <chrono>

#include "understudy/export.hpp"

namespace understudy {

/// 2026-01-01T00:00:00Z.
inline constexpr std::chrono::sys_seconds virtual_wall_epoch{std::chrono::seconds(1'767'225'600)};

/// Seconds since 1970-01-01T00:00:00Z. Threads: any; whether time is virtual is a property of the thread.
UNDERSTUDY_API std::chrono::sys_seconds unix_time() noexcept;

}  // namespace understudy
