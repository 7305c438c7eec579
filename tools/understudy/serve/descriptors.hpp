/// How many connections of clients the limit on descriptors (RLIMIT_NOFILE) has room for.
///
/// Without this bound a gateway with too many clients would accept them all and then have no descriptor left to
/// ask a provider for any of them.
///
///     allow_many_descriptors();
///     const auto bound = connections_within(descriptor_limit(), threads);
#pragma once

#include <algorithm>
#include <cstdint>

namespace understudy::tool {

/// Raises the soft limit to the hard one: the usual soft limit of 1,024 is there for select().
void allow_many_descriptors();

/// The limit that is in force.
std::uint64_t descriptor_limit();

/// Each call needs two descriptors: its client's and its provider's. A quarter of the limit is for connections to
/// providers that are kept for later calls or belong to hedges, and a fixed number for what is always there.
/// Never less than one for each thread.
constexpr std::uint64_t connections_within(std::uint64_t descriptors, unsigned threads) noexcept {
  constexpr std::uint64_t for_the_process = 64;  // streams, signals, 16 lookups, token files
  constexpr std::uint64_t for_a_thread = 8;      // a listener, epoll and its wake-ups
  const auto kept = descriptors / 4;
  const auto fixed = for_the_process + for_a_thread * threads;
  const auto rest = descriptors - kept > fixed ? descriptors - kept - fixed : 0;
  return std::max<std::uint64_t>(rest / 2, threads);
}

}  // namespace understudy::tool
