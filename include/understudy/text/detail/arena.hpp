/// Memory for data parsed between two reads: allocated piecemeal, and released all at once.
///
/// Keeps one block of about the size that the last rounds needed, and at most `resting_size` when they needed little,
/// so that a stream that waits for its next token uses little memory. The steady state does not allocate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace understudy::text {

class Arena {
 public:
  static constexpr std::size_t resting_size = 4096;

  /// Returns `size` uninitialized, unaligned bytes, valid until `reset`.
  char* take(std::size_t size) {
    if (size > capacity_ - used_) {
      grow(size);
    }
    char* const begin = block_.get() + used_;
    used_ += size;
    return begin;
  }

  /// Returns a copy of `text`, valid until `reset`. An empty text takes no memory.
  std::string_view keep(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    char* const copy = take(text.size());
    text.copy(copy, text.size());
    return {copy, text.size()};
  }

  /// Gives back the last `size` bytes of the most recent allocation.
  void untake(std::size_t size) { used_ -= size; }

  void reset() {
    const auto needed = full_size_ + used_;
    if (!full_.empty()) {
      full_.clear();
      full_size_ = 0;
      drop_block(needed);
    } else if (capacity_ > resting_size && needed < capacity_ / 4) {
      drop_block(resting_size);
    }
    used_ = 0;
  }

 private:
  void drop_block(std::size_t next) {
    block_.reset();
    capacity_ = 0;
    next_size_ = next;
  }

  void grow(std::size_t size) {
    if (block_) {
      full_.push_back(std::move(block_));
      full_size_ += used_;
      next_size_ = 2 * capacity_;
    }
    capacity_ = std::max({size, next_size_, resting_size});
    block_ = std::make_unique_for_overwrite<char[]>(capacity_);
    used_ = 0;
  }

  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::size_t next_size_ = 0;
  std::vector<std::unique_ptr<char[]>> full_;
  std::size_t full_size_ = 0;
};

}  // namespace understudy::text
