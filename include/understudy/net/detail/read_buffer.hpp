/// Read buffers: allocated while they hold data, and returned to a cache while a stream is idle.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "understudy/net/detail/http_parser.hpp"

namespace understudy::detail {

/// The number of readable bytes after each view, as required by simdjson.
inline constexpr std::size_t read_padding = 64;

/// A cache of unused buffers. Threads: one executor.
class BufferCache {
 public:
  using Memory = std::unique_ptr<char[]>;

  Memory take() {
    if (kept_.empty()) {
      return std::make_unique<char[]>(read_buffer_size + read_padding);
    }
    auto memory = std::move(kept_.back());
    kept_.pop_back();
    return memory;
  }

  void give(Memory memory) {
    if (kept_.size() < most_kept) {
      kept_.push_back(std::move(memory));
    }
  }

 private:
  static constexpr std::size_t most_kept = 16;

  std::vector<Memory> kept_;
};

/// Invariants
/// 1. Every view that it returns is followed by at least read_padding readable bytes.
/// 2. While parked it holds no memory unless the unconsumed bytes do not fit in `carried_`. Usually these are the last
///    two bytes of a chunk, which Beast parses together with the next chunk.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::shared_ptr<BufferCache> cache) : cache_(std::move(cache)) {}
  ReadBuffer(ReadBuffer&&) noexcept = default;
  ReadBuffer& operator=(ReadBuffer&&) = delete;
  ~ReadBuffer() {
    if (memory_) {
      cache_->give(std::move(memory_));
    }
  }

  /// The space to read into; not empty unless the buffer is full. Moves the bytes that the buffer holds.
  std::span<char> space() {
    const auto had = bytes();
    if (!memory_) {
      memory_ = cache_->take();
    }
    std::memmove(memory_.get(), had.data(), had.size());
    begin_ = 0;
    end_ = had.size();
    return {memory_.get() + end_, read_buffer_size - end_};
  }

  void add(std::size_t n) noexcept { end_ += n; }
  void consume(std::size_t n) noexcept { begin_ += n; }

  std::span<char> bytes() noexcept {
    return {(memory_ ? memory_.get() : carried_.data()) + begin_, end_ - begin_};
  }

  void park() {
    const auto left = bytes();
    if (memory_ && left.size() <= carried_.size()) {
      std::copy(left.begin(), left.end(), carried_.begin());
      begin_ = 0;
      end_ = left.size();
      cache_->give(std::move(memory_));
    }
  }

 private:
  std::shared_ptr<BufferCache> cache_;
  BufferCache::Memory memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<char, 32> carried_{};
};

}  // namespace understudy::detail
