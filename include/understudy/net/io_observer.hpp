/// Receives what a connection waits for, so that a StallTimer can apply its limits.
///
/// The client only reports. Its caller defines the limits and the meaning of their expiry; without an observer that
/// cancels, no operation ends because of a time limit.
///
///     StallTimer stall(scope, limits);
///     StallObserver observer(stall);
///     auto response = co_await client.send(endpoint, request, observer);
#pragma once

#include <cstddef>

#include "understudy/export.hpp"
#include "understudy/net/byte_stream.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace understudy {

/// The functions have the names of StallTimer's. They must not throw.
class UNDERSTUDY_API IoObserver {
 public:
  /// pool_wait, connect, write, or first_progress, which begins when all of the request is written.
  virtual void enter(Phase phase) = 0;

  /// An operation is pending from now on: on `stream`, or, if it is null, a name lookup, a connect or a pool wait.
  virtual void waiting(const ByteStream* stream) = 0;

  /// A read returned bytes of the answer.
  virtual void heard(std::size_t bytes) = 0;

  /// The call no longer uses the stream on which it waited; that stream may be destroyed.
  virtual void left() = 0;

 protected:
  ~IoObserver() = default;
};

/// Ignores all reports.
class UNDERSTUDY_API IgnoreIo final : public IoObserver {
 public:
  void enter(Phase) override {}
  void waiting(const ByteStream*) override {}
  void heard(std::size_t) override {}
  void left() override {}
};

/// Reports to a StallTimer. `ready` is suitable for its hook of that name: whether the stream on which the call waited
/// last has something to read. Lifetime: as long as the timer.
class UNDERSTUDY_API StallObserver final : public IoObserver {
 public:
  explicit StallObserver(StallTimer& timer) noexcept : timer_(timer) {}

  void enter(Phase phase) override { timer_.enter(phase); }
  void waiting(const ByteStream* stream) override {
    stream_ = stream;
    timer_.waiting();
  }
  void heard(std::size_t bytes) override { timer_.heard(bytes); }
  void left() override { stream_ = nullptr; }

  /// Whether the stream that is waited for can be read: for StallHooks::with_ready.
  bool ready() const noexcept { return stream_ != nullptr && stream_->readable(); }

 private:
  StallTimer& timer_;
  const ByteStream* stream_ = nullptr;
};

}  // namespace understudy
