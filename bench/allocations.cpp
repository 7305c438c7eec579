// Counts every allocation of the thread by standing in front of glibc's allocator.
#include <cstddef>
#include <cstdint>

#include "harness.hpp"

namespace {
thread_local std::uint64_t count = 0;
}

std::uint64_t bench::allocations() noexcept { return count; }

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++count;
  return __libc_malloc(size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
}
