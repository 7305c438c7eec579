#include "understudy/failover/call_slots.hpp"

#include <algorithm>
#include <utility>

#include "understudy/runtime/notice.hpp"

namespace understudy {

struct CallSlots::Waiter {
  Notice notice;
  bool granted = false;  // guarded by the mutex of CallSlots
};

/// A place in a queue, which is given up if the call leaves before its turn.
class CallSlots::Turn {
 public:
  Turn(CallSlots& slots, std::size_t credential)
      : slots_(slots), credential_(credential), waiter_(std::make_shared<Waiter>()) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { taken(); }

  const std::shared_ptr<Waiter>& waiter() const noexcept { return waiter_; }

  /// The slot, if it is this call's turn. Leaves the queue.
  std::optional<Slot> taken() {
    if (!waiter_) {
      return std::nullopt;
    }
    const auto waiter = std::exchange(waiter_, nullptr);
    const std::lock_guard lock(slots_.mutex_);
    if (!waiter->granted) {
      slots_.queues_[credential_].waiters.remove(waiter);
      return std::nullopt;
    }
    return Slot(slots_.shared_from_this(), credential_);
  }

 private:
  CallSlots& slots_;
  std::size_t credential_;
  std::shared_ptr<Waiter> waiter_;
};

CallSlots::Slot::Slot(std::shared_ptr<CallSlots> from, std::size_t of) noexcept
    : slots_(std::move(from)), credential_(of) {}

CallSlots::Slot::Slot(Slot&& other) noexcept = default;

CallSlots::Slot& CallSlots::Slot::operator=(Slot&& other) noexcept {
  std::swap(slots_, other.slots_);
  std::swap(credential_, other.credential_);
  return *this;
}

CallSlots::Slot::~Slot() {
  if (slots_) {
    slots_->release(credential_);
  }
}

/// Those whose turn it is now. They are to be notified without the lock.
CallSlots::Waiters CallSlots::grant(Queue& queue) {
  Waiters granted;
  while (!queue.waiters.empty() && (!limit_ || queue.in_use < limit_->concurrent)) {
    ++queue.in_use;
    queue.waiters.front()->granted = true;
    granted.splice(granted.end(), queue.waiters, queue.waiters.begin());
  }
  return granted;
}

void CallSlots::release(std::size_t credential) noexcept {
  Waiters granted;
  {
    const std::lock_guard lock(mutex_);
    --queues_[credential].in_use;
    granted = grant(queues_[credential]);
  }
  for (const auto& waiter : granted) {
    waiter->notice.notify();
  }
}

void CallSlots::limit(const std::optional<CallLimit>& to) {
  Waiters granted;
  {
    const std::lock_guard lock(mutex_);
    limit_ = to;
    limited_.store(to.has_value(), std::memory_order_release);
    for (auto& queue : queues_) {
      granted.splice(granted.end(), grant(queue));
    }
  }
  for (const auto& waiter : granted) {
    waiter->notice.notify();
  }
}

std::optional<CallLimit> CallSlots::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

bool CallSlots::full(std::size_t credential) const {
  if (!limited()) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  return limit_ && queues_[credential].in_use >= limit_->concurrent;
}

CallSlots::Load CallSlots::load(std::size_t credential) const {
  const std::lock_guard lock(mutex_);
  const auto& queue = queues_[credential];
  return {queue.in_use, queue.waiters.size()};
}

asio::awaitable<std::optional<CallSlots::Slot>> CallSlots::wait(std::size_t credential,
                                                                Clock::time_point until) {
  Turn turn(*this, credential);
  const auto waiter = turn.waiter();
  const auto seen = waiter->notice.version();
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    auto& queue = queues_[credential];
    if (limit_ && queue.in_use < limit_->concurrent) {
      ++queue.in_use;
      waiter->granted = true;
    } else if (limit_ && queue.waiters.size() < limit_->queued) {
      queue.waiters.push_back(waiter);
      waits = true;
    }
  }
  if (waits) {
    co_await waiter->notice.wait(seen, until);
  }
  co_return turn.taken();
}

}  // namespace understudy
