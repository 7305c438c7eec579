#include "understudy/testing/scripted_call.hpp"

namespace understudy::testing {
namespace {

constexpr int tokens = 10;
constexpr std::uint64_t token_bytes = 120;
constexpr std::uint64_t heartbeat_bytes = 16;

}  // namespace

Behaviour Behaviour::answer(Clock::duration first, Clock::duration gap) {
  Behaviour behaviour;
  behaviour.after = first;
  behaviour.gap = gap;
  return behaviour;
}

Behaviour Behaviour::fail(Failure failure, Clock::duration after) {
  Behaviour behaviour;
  behaviour.failure = std::move(failure);
  behaviour.after = after;
  return behaviour;
}

Behaviour Behaviour::stall(Clock::duration heartbeats) {
  Behaviour behaviour;
  behaviour.after = Clock::duration::max();
  behaviour.heartbeats = heartbeats;
  return behaviour;
}

/// A request under way; one that ends without having settled was cancelled.
class ScriptedProvider::Visit {
 public:
  Visit(ScriptedProvider& provider, const Attempt& attempt)
      : provider_(provider), index_(provider.asked_.size()) {
    Asked asked;
    asked.number = static_cast<unsigned>(index_);
    asked.began = Clock::now();
    asked.mended = attempt.mends();
    if (attempt.credential() != nullptr) {
      asked.credential = attempt.credential()->secret.reveal();
    }
    provider_.asked_.push_back(std::move(asked));
    ++provider_.alive_;
  }
  ~Visit() {
    provider_.asked_[index_].end = end_;
    provider_.asked_[index_].ended = Clock::now();
    --provider_.alive_;
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  const Asked& asked() const { return provider_.asked_[index_]; }
  void settle(Asked::End end) { end_ = end; }

 private:
  ScriptedProvider& provider_;
  std::size_t index_;
  Asked::End end_ = Asked::End::cancelled;
};

asio::awaitable<Result<std::string>> ScriptedProvider::ask(Attempt& attempt) {
  Visit visit(*this, attempt);
  const Behaviour behaviour = script_(visit.asked());
  attempt.enter(Phase::first_progress);
  co_await silence(attempt, behaviour.after, behaviour.heartbeats);
  if (behaviour.failure) {
    visit.settle(Asked::End::failed);
    co_return *behaviour.failure;
  }
  for (int i = 0; i < tokens; ++i) {
    if (i > 0 && behaviour.gap > Clock::duration::zero()) {
      co_await silence(attempt, behaviour.gap, behaviour.heartbeats);
    }
    attempt.heard(token_bytes);
    attempt.progressed();
  }
  visit.settle(Asked::End::answered);
  co_return "answer of " + name_;
}

asio::awaitable<void> ScriptedProvider::silence(Attempt& attempt, Clock::duration length,
                                                Clock::duration heartbeats) {
  while (length > Clock::duration::zero()) {
    const bool beats = heartbeats > Clock::duration::zero() && heartbeats < length;
    const auto step = beats ? heartbeats : length;
    attempt.waiting();
    co_await sleep_for(step);
    length -= step;
    if (beats) {
      attempt.heard(heartbeat_bytes);
      attempt.heartbeat();
    }
  }
}

}  // namespace understudy::testing
