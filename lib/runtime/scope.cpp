#include "understudy/runtime/scope.hpp"

#include <atomic>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <string>

#include "understudy/runtime/live_children.hpp"

namespace understudy {
namespace {

#ifdef UNDERSTUDY_COUNT_CHILDREN
std::atomic<std::int64_t> child_count{0};
#endif

void count_children([[maybe_unused]] int difference) noexcept {
#ifdef UNDERSTUDY_COUNT_CHILDREN
  child_count.fetch_add(difference, std::memory_order_relaxed);
#endif
}

std::string place(const std::source_location& site) {
  return std::string(site.file_name()) + ":" + std::to_string(site.line());
}

/// Posted when a child's coroutine was destroyed. An executor that is going away destroys this too; one
/// that runs it has lost the completion of a child, and with it the right to end the scope.
struct LostChild {
  std::source_location site;

  void operator()() const {
    std::fprintf(stderr,
                 "understudy: a scope was destroyed while its executor is running: the coroutine "
                 "of the child "
                 "spawned at %s was destroyed before its end\n",
                 place(site).c_str());
    std::terminate();
  }
};

}  // namespace

std::optional<std::int64_t> live_children() noexcept {
#ifdef UNDERSTUDY_COUNT_CHILDREN
  return child_count.load(std::memory_order_relaxed);
#else
  return std::nullopt;
#endif
}

namespace detail {

bool is_abort(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == asio::error::operation_aborted;
  } catch (const asio::multiple_exceptions& thrown) {
    return is_abort(thrown.first_exception());
  } catch (...) {
    return false;
  }
}

const asio::any_io_executor& executor_of(const Scope& scope) noexcept {
  return scope.get_executor();
}

std::string describe(const Scope& scope) {
  std::string text = "scope entered at " + place(scope.site_) + " with";
  for (const auto& child : scope.children_) {
    switch (child.kind()) {
      case Child::Kind::body: text += " its body,"; break;
      case Child::Kind::child: text += " a child spawned at " + place(child.site()) + ","; break;
      case Child::Kind::racer: text += " a racer,"; break;
    }
  }
  text.back() = ' ';
  return text + "alive";
}

Child::Child(Scope& scope, Kind kind, std::source_location site) noexcept
    : scope_(&scope), site_(site), kind_(kind) {}

Child::~Child() {
  if (destroy_slot_ != nullptr) {
    destroy_slot_(slot_);
  }
}

void Child::link() {
  in_spawn_ = true;
  stage_ = Stage::starting;
  scope_->started(*this);
}

void Child::spawned() {
  in_spawn_ = false;
  if (completed_in_spawn_) {
    scope_->ended(*this);
    return;
  }
  if (stage_ == Stage::begun) {
    stage_ = Stage::running;
    if (cancelled_) {
      emit();
    }
  }
}

void Child::begin() {
  stage_ = Stage::running;
  if (cancelled_) {
    emit();
  }
}

bool Child::begin_inline() noexcept {
  if (in_spawn_) {
    stage_ = Stage::begun;
  }
  return in_spawn_;
}

void Child::cancel() {
  if (!cancelled_) {
    cancelled_ = true;
    if (stage_ == Stage::running) {
      emit();
    }
  }
}

void Child::emit() {
  if (!settled_) {
    emit_(slot_);
  }
}

void Child::settle() {
  settled_ = true;
  scope_->settled(*this);
}

void Child::completed() {
  if (in_spawn_) {
    completed_in_spawn_ = true;
  } else {
    scope_->ended(*this);
  }
}

void Child::abandoned() { scope_->abandoned(*this); }

}  // namespace detail

void Remote::cancel(const Cause& cause) const {
  asio::post(executor_, [state = state_, cause] {
    if (state->scope != nullptr) {
      state->scope->cancel(cause);
    }
  });
}

Scope::Scope(asio::any_io_executor executor, Scope* parent, std::source_location site)
    : executor_(std::move(executor)), parent_(parent), source_(detail::time_source), site_(site) {
  if (source_ != nullptr) {
    source_->scope_entered(this);
  }
}

Scope::~Scope() {
  if (source_ != nullptr) {
    source_->scope_left(this);
  }
  if (remote_) {
    remote_->scope = nullptr;
  }
}

void Scope::cancel(const Cause& cause) {
  if (!cancelled()) {
    cause_ = cause;
    own_ = true;
    emit_to_all();
  }
}

void Scope::cancelled_from_outside() {
  outside_ = true;
  if (!cancelled()) {
    cause_ = parent_ != nullptr && parent_->cancelled() ? parent_->cause()
                                                        : Cause(StopReason::cancelled);
    emit_to_all();
  }
}

void Scope::emit_to_all() {
  // Emitting may end a child, and start a shielded one: each is taken from its own list once.
  emitting_ = true;
  Children pending;
  pending.splice(pending.end(), children_);
  while (!pending.empty()) {
    auto& child = pending.front();
    children_.splice(children_.end(), pending, pending.begin());
    if (!child.shielded) {
      child.cancel();
    }
  }
  emitting_ = false;
  resume_if_done(true);
}

void Scope::deadline(Clock::time_point time) {
  if (!deadline_) {
    deadline_.emplace(
        executor_,
        [](void* scope, Clock::time_point due) {
          static_cast<Scope*>(scope)->deadline_reached(due);
        },
        this);
  }
  deadline_set_ = Clock::now();
  deadline_->set(time);
}

void Scope::deadline(Clock::duration from_now) { deadline(detail::later(Clock::now(), from_now)); }

void Scope::deadline_reached(Clock::time_point due) {
  Evidence evidence;
  evidence.clock = LimitClock::wall;
  evidence.origin = LimitOrigin::user;
  evidence.limit = due - deadline_set_;
  evidence.lateness = Clock::now() - due;
  cancel(Cause(StopReason::deadline, evidence));
}

Remote Scope::remote() {
  if (!remote_) {
    remote_ = std::make_shared<Remote::State>(this);
  }
  return {executor_, remote_};
}

void Scope::started(detail::Child& child) {
  children_.push_back(child);
  ++live_;
  if (child.kind() == detail::Child::Kind::body) {
    ++body_live_;
  }
  count_children(1);
  if (cancelled() && !child.shielded) {
    child.cancel();  // the body of a scope that was entered when cancelled already
  }
}

void Scope::settled(detail::Child& child) {
  if (child.kind() == detail::Child::Kind::racer && winner_ == nullptr) {
    winner_ = &child;
    cancel(StopReason::lost);
  }
}

void Scope::forget(detail::Child& child) {
  child.unlink();
  --live_;
  if (child.kind() == detail::Child::Kind::body) {
    --body_live_;
  }
  if (child.owned) {
    delete &child;
  }
  count_children(-1);
}

void Scope::ended(detail::Child& child) {
  const auto error = child.error;
  const bool won = &child == winner_;
  const bool unwinding = cancelled() && (child.failed_result || child.aborted);
  const bool failed_body = child.kind() == detail::Child::Kind::body && child.failed_result;
  forget(child);
  if (error && !won && !unwinding) {
    fail(error);
  } else if (failed_body) {
    cancel(StopReason::sibling_failed);
  }
  resume_if_done(false);
}

void Scope::fail(std::exception_ptr error) {
  if (errors_.size() < max_errors) {
    errors_.push_back(std::move(error));
  }
  cancel(StopReason::sibling_failed);
}

void Scope::abandoned(detail::Child& child) {
  asio::post(executor_, LostChild{child.site()});
  forget(child);
  // Whoever waits for it can never be resumed. Dropping the waiter may destroy this scope.
  if (live_ == 0) {
    waiter_.drop();
  } else if (only_body_left()) {
    joiner_.drop();
  }
}

void Scope::resume_if_done(bool from_queue) {
  if (emitting_) {
    return;
  }
  auto* waiter = live_ == 0 ? &waiter_ : only_body_left() ? &joiner_ : nullptr;
  if (waiter == nullptr || !*waiter) {
    return;
  }
  if (from_queue) {
    waiter->resume_by(executor_);
  } else {
    waiter->resume();
  }
}

}  // namespace understudy
