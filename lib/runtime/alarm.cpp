#include "understudy/runtime/detail/alarm.hpp"

#include <boost/asio/recycling_allocator.hpp>

namespace understudy::detail {

Alarm::~Alarm() {
  if (self_) {
    *self_ = nullptr;
  }
}

void Alarm::set(Clock::time_point due) {
  if (due == Clock::time_point::max()) {
    clear();
    return;
  }
  if (!self_) {
    self_ = std::allocate_shared<Alarm*>(asio::recycling_allocator<Alarm*>(), this);
  }
  due_ = due;
  timer_.expires_at(due);
  timer_.async_wait([self = self_](error_code code) {
    if (!code && *self != nullptr) {
      (*self)->woke();
    }
  });
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
