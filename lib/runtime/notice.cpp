#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "understudy/runtime/notice.hpp"

namespace understudy {

struct Notice::Waiter {
  explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}

  Timer timer;  // this and `notified` are used on the executor alone
  bool notified = false;
};

/// In the list as long as the waiting coroutine lives, which may be destroyed instead of resumed.
class Notice::Registration {
 public:
  Registration(Notice& notice, std::shared_ptr<Waiter> waiter, std::uint64_t seen)
      : notice_(notice) {
    const std::lock_guard lock(notice_.mutex_);
    registered_ = notice_.version_ == seen;
    if (registered_) {
      place_ = notice_.waiters_.insert(notice_.waiters_.end(), std::move(waiter));
    }
  }
  ~Registration() {
    if (registered_) {
      const std::lock_guard lock(notice_.mutex_);
      notice_.waiters_.erase(place_);
    }
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  explicit operator bool() const noexcept { return registered_; }

 private:
  Notice& notice_;
  bool registered_ = false;
  std::list<std::shared_ptr<Waiter>>::iterator place_;
};

std::uint64_t Notice::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void Notice::notify() {
  const std::lock_guard lock(mutex_);
  ++version_;
  for (const auto& waiter : waiters_) {
    // Posted under the lock, so that the waiter, and with it its context, is still there.
    asio::post(waiter->timer.get_executor(), [held = std::weak_ptr(waiter)] {
      if (const auto woken = held.lock()) {
        woken->notified = true;
        woken->timer.cancel();
      }
    });
  }
}

asio::awaitable<bool> Notice::wait(std::uint64_t seen, Clock::time_point until) {
  const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
  waiter->timer.expires_at(until);
  const Registration registration(*this, waiter, seen);
  if (!registration) {
    co_return true;
  }
  co_await waiter->timer.async_wait(asio::as_tuple(asio::deferred));
  co_return waiter->notified;
}

}  // namespace understudy
