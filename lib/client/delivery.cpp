#include "understudy/client/delivery.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "joining.hpp"
#include "understudy/client/detail/complete_call.hpp"
#include "understudy/client/recovery.hpp"
#include "understudy/failover/failover_call.hpp"
#include "understudy/llm/stall_scaling.hpp"

namespace understudy {
namespace {

using detail::Committed;
using detail::Joining;

/// What is held back before the commit point, at most.
constexpr std::size_t most_held = std::size_t{32} * 1024 * 1024;

}  // namespace

class Delivery::Impl {
 public:
  Impl(DeliveryPlan p, asio::any_io_executor runs_on, std::source_location site)
      : executor(std::move(runs_on)),
        plan_(std::move(p)),
        call_(plan_.chain, plan_.policy, *plan_.state, options(plan_), site) {
    if (plan_.settings.on_partial == OnPartial::resume) {
      recovery_ = recovery();
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (!reported_) {
      finish(Failure(call_.abandoned()));
    }
  }

  const asio::any_io_executor executor;

  asio::awaitable<void> begin() {
    auto asked = co_await ask();
    settle(std::move(asked));
  }

  llm::Protocol protocol() const noexcept { return answer_->stream.protocol(); }

  bool whole() const noexcept { return answer_->stream.whole(); }

  bool resumed() const noexcept { return recovery_ && recovery_->resumed(); }

  const llm::ReasoningOrigin& origin() const noexcept { return answer_->stream.origin(); }

  const llm::Event* try_next() {
    if (end_) {
      return nullptr;
    }
    if (retract_) {
      retract_ = false;
      seen_ = false;
      complete_call_ = {};
      return &retract_event_;
    }
    const llm::Event* const event = peeked_ != nullptr ? std::exchange(peeked_, nullptr) : due();
    if (event != nullptr) {
      seen_ = true;
      if (!recovery_) {
        complete_call_.note(*event);
      }
    }
    return event;
  }

  asio::awaitable<Result<bool>> ready() {
    if (recovery_ && peeked_ == nullptr) {
      recovery_->forget_given();
    }
    while (!end_ && !retract_ && peeked_ == nullptr && (peeked_ = due()) == nullptr) {
      if (recovery_ && recovery_->overflowed()) {
        co_await broke(Failure(
            FailoverReason::malformed_response,
            "a tool call is larger than " + std::to_string(Recovery::most_kept) + " bytes"));
        continue;
      }
      if (answer_->complete) {
        complete();
        break;
      }
      const auto more = co_await answer_->stream.ready();  // const: see HttpStream::ready
      if (more.has_error()) {
        co_await broke(more.error());
      } else if (!*more) {
        answer_->complete = true;
      }
    }
    if (end_) {
      co_return std::as_const(*end_);
    }
    co_return true;
  }

  const CallReport& report() const noexcept { return end_ ? report_ : call_.report(); }

 private:
  Recovery recovery() const {
    return Recovery(plan_.settings.tool_calls == ToolCallDelivery::live);
  }

  static CallOptions options(const DeliveryPlan& plan) {
    CallOptions options;
    options.with_prompt(plan.prompt_tokens)
        .with_scaled_stale(llm::scaled_stale(plan.prompt_tokens))
        .with_session(plan.session, plan.session_why);
    options.observer = plan.observer;
    options.parent = plan.parent;
    return options;
  }

  /// The next event that the consumer may have, of those that have come.
  const llm::Event* due() {
    while (true) {
      if (const llm::Event* kept = recovery_ ? recovery_->next() : nullptr) {
        return kept;
      }
      const llm::Event* event = answer_->held.next();
      if (event == nullptr && !answer_->complete) {
        event = answer_->stream.try_next();
      }
      if (const auto* usage = event == nullptr ? nullptr : std::get_if<llm::Usage>(&event->body)) {
        call_.answer_spent(usage->output.value_or(0));  // this member's: what comes out counts all
      }
      if (event == nullptr || !recovery_ || recovery_->take(*event)) {
        return event;
      }
    }
  }

  asio::awaitable<Result<Committed>> ask() {
    auto open = [this](Attempt& attempt) { return open_and_hold(attempt); };
    co_return co_await call_.ask(open);
  }

  asio::awaitable<Result<Committed>> open_and_hold(Attempt& attempt) {
    if (going_on_) {
      co_return co_await open_and_join(attempt);
    }
    auto opened = co_await plan_.open(*plan_.request, attempt);
    if (opened.has_error()) {
      co_return opened.error();
    }
    Committed answer(std::move(*opened));
    const auto& commit = plan_.settings.commit;
    if (commit.when() != Commit::When::first_progress) {
      answer.stream.ask_takeover([&attempt] { return attempt.takeover(); });
      const auto until = commit.when() == Commit::When::whole ? Clock::time_point::max()
                                                              : Clock::now() + commit.held();
      auto held = co_await hold(answer, until);
      if (held.has_error()) {
        co_return held.error();
      }
      answer.stream.ask_takeover({});
    }
    co_return Result<Committed>(std::move(answer));
  }

  /// Which of the manners the attempt is to use: the last one that a failure has named, or the first.
  static std::size_t manner_of(std::span<const ResumeManner> manners, const Attempt& attempt) {
    const auto& named = attempt.named_mends();
    for (auto i = manners.size() - 1; i > 0; --i) {
      if (std::find(named.begin(), named.end(), detail::mend_name(manners[i])) != named.end()) {
        return i;
      }
    }
    return 0;
  }

  /// A member whose answer does not join is asked in another manner, if there is one: its failure names it.
  asio::awaitable<Result<Committed>> open_and_join(Attempt& attempt) {
    // With thinking on, a message that begins the answer would have to begin with a thought, which is refused.
    const auto thinks = plan_.request->thinking.mode;
    const bool prefill =
        (thinks == llm::Thinking::Mode::unset || thinks == llm::Thinking::Mode::off) &&
        plan_.takes_prefill && plan_.takes_prefill(attempt.member());
    const auto manners = detail::resume_manners(prefill);
    const auto manner = manner_of(manners, attempt);
    const auto request = detail::resuming(*plan_.request, recovery_->text(), manners[manner]);
    auto opened = co_await plan_.open(request, attempt);
    if (opened.has_error()) {
      co_return opened.error();
    }
    Committed answer(std::move(*opened));
    answer.stream.ask_takeover([&attempt] { return attempt.takeover(); });
    Joining joining(*recovery_, manners[manner]);
    auto joined = co_await joining.read(answer);
    if (joined.has_error()) {
      auto failure = joined.error();
      if (failure.code() == FailoverReason::resume_mismatch && manner + 1 < manners.size()) {
        failure.with_mend(std::string(detail::mend_name(manners[manner + 1])));
      }
      co_return failure;
    }
    repeated_ = joining.repeated();
    answer.stream.ask_takeover({});
    co_return Result<Committed>(std::move(answer));
  }

  /// Until an event comes at `until` or later, or the answer is complete: a pending read cannot be left
  /// alone, and who is silent then would only have shown less before it stalls.
  static asio::awaitable<Result<void>> hold(Committed& answer, Clock::time_point until) {
    while (true) {
      const auto more = co_await answer.stream.ready();
      if (more.has_error()) {
        co_return more.error();
      }
      if (!*more) {
        answer.complete = true;
        co_return Result<void>();
      }
      if (Clock::now() >= until) {
        co_return Result<void>();
      }
      while (const llm::Event* event = answer.stream.try_next()) {
        answer.held.add(*event);
      }
      if (answer.held.bytes() > most_held) {
        co_return Failure(FailoverReason::malformed_response,
                          "the answer is larger than 32 MiB before its commit point");
      }
    }
  }

  void settle(Result<Committed> asked) {
    if (asked.has_error()) {
      finish(asked.error());
      return;
    }
    answer_.emplace(std::move(*asked));
    if (may_be_rescued()) {
      // After a complete call no member is needed: the answer ends there.
      answer_->stream.ask_takeover([this] {
        const bool ends = recovery_ && recovery_->rung() == Rung::end_here;
        return ends ? Takeover::yes() : call_.answer_takeover();
      });
    }
  }

  /// Whether the answer could be rescued if it broke now, with all that the consumer has seen or will have seen by
  /// then.
  bool may_be_rescued() const {
    if (rescues_ >= plan_.settings.max_resumes) {
      return false;
    }
    if (recovery_) {
      const auto rung = recovery_->rung();
      return rung == Rung::anew || rung == Rung::go_on;
    }
    return plan_.can_retract && plan_.settings.on_partial == OnPartial::restart && !complete_call();
  }

  /// The tool call that was delivered in whole, if one was.
  const std::optional<std::string>& complete_call() const noexcept {
    return recovery_ ? recovery_->complete_call() : complete_call_.name();
  }

  asio::awaitable<void> broke(Failure failure) {
    // What breaks because the caller has stopped it is no failure of the member.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      failure = Failure(StopReason::cancelled);
    }
    note_flaws();
    const auto decision = call_.answer_broke(failure);
    answer_->stream.ask_takeover({});
    if (decision.action != Action::stop && seen_ && recovery_ &&
        recovery_->rung() == Rung::end_here) {
      end_here();
      co_return;
    }
    if (decision.action != Action::fail_over || (seen_ && !may_be_rescued())) {
      finish(decision.action == Action::stop ? failure : told(call_.failure()));
      co_return;
    }
    answer_.reset();  // closes the connection
    end_ = Failure(
        StopReason::cancelled);  // what it stays if we are stopped while another one is asked
    if (recovery_ && !seen_) {
      recovery_ = recovery();
    }
    going_on_ = recovery_ && recovery_->rung() == Rung::go_on;
    auto asked = co_await ask();
    end_.reset();
    rescues_ += seen_ && asked.has_value() ? 1 : 0;
    if (recovery_ && seen_) {
      recovery_->goes_on(recovery_->rung(), going_on_ ? repeated_ : 0);
    } else if (!recovery_) {
      retract_ = asked.has_value() && seen_;
    }
    settle(std::move(asked));
  }

  /// Ends a broken answer after a complete tool call, which the client has, and may have begun to run.
  void end_here() {
    recovery_->end_here();
    answer_->complete = true;
    stands_ = true;
    call_.answer_stands("a tool call was delivered: the answer ends there");
  }

  /// The failure, in words that say why nobody was asked in its place.
  Failure told(const Failure& failure) const {
    const auto& call = complete_call();
    if (!call || plan_.settings.on_partial.value_or(OnPartial::fail) == OnPartial::fail) {
      return failure;
    }
    const auto attempts = failure.attempts();
    return Failure(Cause(failure.code(), failure.evidence()),
                   "the tool call " + *call +
                       " was delivered, and nothing is regenerated after it; " + failure.message())
        .with_retry_after(failure.retry_after())
        .with_attempts({attempts.begin(), attempts.end()});
  }

  void note_flaws() {
    const auto& stream = answer_->stream;
    call_.answer_flawed(stream.undecodable(), stream.inferred_finish());
  }

  void complete() {
    if (!stands_) {
      note_flaws();
      call_.answer_ended();
    }
    finish(false);
  }

  void finish(Result<bool> end) {
    report_ = call_.finish(end.has_error() ? end.error().code() : error_code());
    reported_ = true;
    end_ = std::move(end);
  }

  DeliveryPlan plan_;
  FailoverCall call_;
  std::optional<Committed> answer_;
  bool seen_ = false;                   // the consumer has got something
  detail::CompleteCall complete_call_;  // where there is no recovery_ to know
  std::optional<Recovery> recovery_;    // where a broken answer is gone on with
  bool going_on_ = false;               // the member that is asked is to resume it
  std::size_t repeated_ = 0;            // bytes of its text before the seam
  bool stands_ = false;                 // it broke, and what was delivered is complete all the same
  const llm::Event* peeked_ = nullptr;  // what comes next
  unsigned rescues_ = 0;                // of an answer that was seen in part
  bool retract_ = false;                // is what comes next
  llm::Event retract_event_{llm::Retract()};
  std::optional<Result<bool>> end_;
  bool reported_ = false;
  CallReport report_;
};

Delivery::Delivery(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Delivery::Delivery() noexcept = default;
Delivery::Delivery(Delivery&&) noexcept = default;
Delivery& Delivery::operator=(Delivery&&) noexcept = default;
Delivery::~Delivery() = default;

llm::Protocol Delivery::protocol() const noexcept { return impl_->protocol(); }

bool Delivery::whole() const noexcept { return impl_->whole(); }
bool Delivery::resumed() const noexcept { return impl_->resumed(); }
const llm::ReasoningOrigin& Delivery::origin() const noexcept { return impl_->origin(); }
const llm::Event* Delivery::try_next() { return impl_->try_next(); }
asio::awaitable<Result<bool>> Delivery::ready() { return impl_->ready(); }
asio::awaitable<const llm::Event*> Delivery::next() {
  if (const llm::Event* event = impl_->try_next()) {
    co_return event;
  }
  const auto more = co_await impl_->ready();
  if (more.has_error()) {
    throw FailoverError(more.error());
  }
  co_return *more ? impl_->try_next() : nullptr;
}

asio::any_io_executor Delivery::get_executor() const { return impl_->executor; }

const CallReport& Delivery::report() const noexcept { return impl_->report(); }

asio::awaitable<Delivery> deliver(DeliveryPlan plan, std::source_location site) {
  const auto executor = co_await asio::this_coro::executor;
  auto impl = std::make_unique<Delivery::Impl>(std::move(plan), executor, site);
  co_await impl->begin();
  co_return Delivery(std::move(impl));
}

}  // namespace understudy
