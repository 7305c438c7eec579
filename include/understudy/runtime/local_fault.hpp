/// Resources that this machine or process has run out of: descriptors, memory, threads, space.
///
/// The system reports the error from the call that needed the resource (a connect, a lookup, a file), but the error is
/// unrelated to the peer of that call, and a call to any other peer would fail for the same reason.
///
/// Invariants
/// 1. A local fault is never a failure of the peer: it is not retried, does not cause a failover, and does not mark a
///    provider.
/// 2. A code is equivalent to the corresponding standard error condition: `LocalFault::descriptors` to
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

/// What this process lacks, so that no provider is blamed. Values of one error category, `local_category()`.
enum class LocalFault {
  descriptors = 1,     ///< EMFILE: this process has reached its limit of descriptors
  system_descriptors,  ///< ENFILE: the whole machine has reached its limit
  memory,              ///< ENOMEM, ENOBUFS, std::bad_alloc
  threads,             ///< no thread could be started
  space,               ///< ENOSPC, EDQUOT: a disk is full, or epoll's table of watches
};

/// The local fault for a code of this category or of the system (EMFILE, ...); nothing for other codes.
UNDERSTUDY_API std::optional<LocalFault> local_fault_of(
    const boost::system::error_code& code) noexcept;

/// The remedy for an operator: "raise the limit on open files of this process (...)".
UNDERSTUDY_API std::string_view remedy(LocalFault fault) noexcept;

/// The category of LocalFault.
UNDERSTUDY_API const boost::system::error_category& local_category() noexcept;

/// A local fault as an error code.
inline boost::system::error_code make_error_code(LocalFault fault) noexcept {
  return {static_cast<int>(fault), local_category()};
}

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::LocalFault> : std::true_type {};
