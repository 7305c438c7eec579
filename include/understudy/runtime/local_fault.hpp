/// What this machine or process has run out of: descriptors, memory, threads, space.
///
/// The system reports it through the call that happened to need one more (a connect, a lookup, a file), but it
/// says nothing about the peer of that call, and every other peer would meet the same.
///
/// Invariants
/// 1. A local fault is never a failure of the other side: it is not retried, leads to no failover, and marks
///    no provider.
/// 2. A code is equivalent to the standard's word for it: `LocalFault::descriptors` to
///    `errc::too_many_files_open`.
///
///     if (const auto fault = local_fault_of(code)) {
///       log(error_code(*fault).message(), remedy(*fault));
///     }
#pragma once

#include <boost/system/error_code.hpp>
#include <optional>
#include <string_view>
#include <type_traits>

#include "understudy/export.hpp"

namespace understudy {

enum class LocalFault {
  descriptors = 1,     ///< EMFILE: this process has as many descriptors as it may have
  system_descriptors,  ///< ENFILE: the whole machine has
  memory,              ///< ENOMEM, ENOBUFS, std::bad_alloc
  threads,             ///< no thread could be started
  space,               ///< ENOSPC, EDQUOT: a disk is full, or epoll's table of watches
};

/// The local fault that a code stands for, or nothing: one of this category, or the system's (EMFILE, ...).
UNDERSTUDY_API std::optional<LocalFault> local_fault_of(
    const boost::system::error_code& code) noexcept;

/// What an operator can do about it: "raise the limit on open files of this process (...)".
UNDERSTUDY_API std::string_view remedy(LocalFault fault) noexcept;

UNDERSTUDY_API const boost::system::error_category& local_category() noexcept;

inline boost::system::error_code make_error_code(LocalFault fault) noexcept {
  return {static_cast<int>(fault), local_category()};
}

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::LocalFault> : std::true_type {};
