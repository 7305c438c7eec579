/// Who is told what a connection waits for, so that a StallTimer can judge it.
///
/// The client only reports. Which limits there are, and what their expiry means, is its caller's; without
/// an observer that cancels, nothing here ends by itself.
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

/// The words are StallTimer's. Nothing that is called here may throw.
class UNDERSTUDY_API IoObserver {
 public:
  /// pool_wait, connect, write, or first_progress, which begins when all of the request is written.
  virtual void enter(Phase phase) = 0;

  /// Something is pending from now on: on `stream`, or, where it is null, on a name, a connect or the pool.
  virtual void waiting(const ByteStream* stream) = 0;

  /// A read brought bytes of the answer.
  virtual void heard(std::size_t bytes) = 0;

  /// The stream that was waited for is no longer the call's: it may be gone.
  virtual void left() = 0;

 protected:
  ~IoObserver() = default;
};

/// Reports to nobody.
class UNDERSTUDY_API IgnoreIo final : public IoObserver {
 public:
  void enter(Phase) override {}
  void waiting(const ByteStream*) override {}
  void heard(std::size_t) override {}
  void left() override {}
};

/// Reports to a StallTimer. `ready` is what its hook of that name wants: whether the stream that was last
/// waited for has something to read. Lifetime: the timer's.
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

  bool ready() const noexcept { return stream_ != nullptr && stream_->readable(); }

 private:
  StallTimer& timer_;
  const ByteStream* stream_ = nullptr;
};

}  // namespace understudy
