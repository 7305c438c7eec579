/// The memory that is read into: lent while there is something in it, and given back while a stream idles.
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

/// What may be read behind a view without harm, as simdjson wants it.
inline constexpr std::size_t read_padding = 64;

/// Buffers that nobody uses now. Threads: one executor.
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
/// 1. Behind every byte that it gives out lie read_padding bytes that may be read.
/// 2. While parked it holds no memory but for what does not fit `carried_`: a chunk's last two bytes
///    usually, which belong to the next one for Beast.
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

  /// Where to read to; not empty unless the buffer is full. Moves the bytes that are in it.
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
