#include "understudy/testing/virtual_time.hpp"

#include <string>

#include "understudy/runtime/scope.hpp"

namespace understudy::testing {

VirtualTime::VirtualTime() {
  if (detail::time_source != nullptr) {
    throw std::logic_error("VirtualTime: this thread has one already");
  }
  detail::time_source = this;
}

VirtualTime::~VirtualTime() { detail::time_source = nullptr; }

void VirtualTime::schedule(Clock::time_point expiry, std::weak_ptr<detail::VirtualWait> wait) {
  waits_.emplace(Key{expiry, sequence_++}, std::move(wait));
}

void VirtualTime::poll(asio::io_context& context) {
  context.restart();
  while (context.poll() > 0) {
  }
}

bool VirtualTime::jump(Clock::time_point latest) {
  // Drop waits that were cancelled: time must not jump to where nobody waits.
  while (!waits_.empty() && waits_.begin()->second.expired()) {
    waits_.erase(waits_.begin());
  }
  if (waits_.empty() || waits_.begin()->first.expiry > latest ||
      waits_.begin()->first.expiry == Clock::time_point::max()) {
    return false;
  }
  now_ = std::max(now_, waits_.begin()->first.expiry);
  ++jumps_;
  while (!waits_.empty() && waits_.begin()->first.expiry <= now_) {
    const auto wait = waits_.begin()->second.lock();
    waits_.erase(waits_.begin());
    if (wait && wait->timer != nullptr) {
      wait->fired = true;
      wait->timer->cancel();
    }
  }
  return true;
}

void VirtualTime::run(asio::io_context& context) {
  run_until(context, [&] { return context.stopped(); });
}

void VirtualTime::run_for(asio::io_context& context, Clock::duration duration) {
  const auto end = now_ + duration;
  do {
    poll(context);
  } while (jump(end));
  now_ = end;
}

std::string VirtualTime::why_stuck() const {
  std::string text = "virtual time stands still after " +
                     std::to_string(std::chrono::duration<double>(elapsed()).count()) +
                     " s: no timer can wake what runs";
  if (!waits_.empty()) {
    text += waits_.begin()->first.expiry == Clock::time_point::max()
                ? " (those left never expire)"
                : " (those left expire after longest_run)";
  }
  for (const auto* scope : scopes_) {
    text += "\n  " + detail::describe(*static_cast<const Scope*>(scope));
  }
  if (scopes_.empty()) {
    text += "; no scope is alive either";
  }
  return text;
}

}  // namespace understudy::testing
