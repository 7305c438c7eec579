#include "understudy/runtime/detail/alarm.hpp"

#include <boost/asio/recycling_allocator.hpp>
#include <cstddef>
#include <new>

namespace understudy::detail {

/// What a wait shares with its alarm, and the memory of Asio's wait operation: one block for both, so
/// that an alarm costs one allocation, which Asio recycles.
struct Alarm::Block {
  explicit Block(Alarm* a) noexcept : alarm(a) {}

  Alarm* alarm;  // null once the alarm is gone
  bool taken = false;
  alignas(std::max_align_t) std::byte operation[192];
};

/// Gives Asio the block's memory for the first wait, and the usual kind for one beside it.
template <class T>
class Alarm::BlockAllocator {
 public:
  using value_type = T;

  explicit BlockAllocator(std::shared_ptr<Block> b) noexcept : block(std::move(b)) {}
  template <class U>
  BlockAllocator(const BlockAllocator<U>& other) noexcept : block(other.block) {}

  T* allocate(std::size_t n) {
    if (!block->taken && n * sizeof(T) <= sizeof(block->operation)) {
      block->taken = true;
      return reinterpret_cast<T*>(block->operation);
    }
    return asio::recycling_allocator<T>().allocate(n);
  }
  void deallocate(T* memory, std::size_t n) noexcept {
    if (reinterpret_cast<std::byte*>(memory) == block->operation) {
      block->taken = false;
    } else {
      asio::recycling_allocator<T>().deallocate(memory, n);
    }
  }
  friend bool operator==(const BlockAllocator&, const BlockAllocator&) = default;

  std::shared_ptr<Block> block;
};

struct Alarm::Handler {
  using allocator_type = BlockAllocator<void>;
  allocator_type get_allocator() const noexcept { return allocator_type(block); }

  void operator()(error_code code) const {
    if (!code && block->alarm != nullptr) {
      block->alarm->woke();
    }
  }

  std::shared_ptr<Block> block;
};

Alarm::~Alarm() {
  if (block_) {
    block_->alarm = nullptr;
  }
}

void Alarm::set(Clock::time_point due) {
  if (due == Clock::time_point::max()) {
    clear();
    return;
  }
  if (!block_) {
    block_ = std::allocate_shared<Block>(asio::recycling_allocator<Block>(), this);
  }
  due_ = due;
  timer_.expires_at(due);
  timer_.async_wait(Handler{block_});
}

void Alarm::clear() {
  if (due_ != Clock::time_point::max()) {
    due_ = Clock::time_point::max();
    timer_.cancel();
  }
}

void Alarm::woke() {
  const auto due = due_;
  if (Clock::now() < due) {
    return;  // an expiry of an earlier setting; the wait for this one is under way
  }
  due_ = Clock::time_point::max();
  fire_(object_, due);
}

}  // namespace understudy::detail
