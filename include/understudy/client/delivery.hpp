/// Delivers an answer to its consumer, from whichever member of the chain gives it, even if an answer breaks.
///
/// Invariants
/// 1. An answer is held back until its commit point (delivery_settings.hpp). If it breaks before, the attempt has
///    failed as usual, and the next member answers without any effect on the consumer.
/// 2. An answer of which a part was delivered ends in one of five ways: it is complete; it fails with a Failure;
///    a member resumes it, if `on_partial` is `resume` (recovery.hpp); it ends after a complete tool call, in the same
///    case; or a Retract takes it back and another member starts over, if the consumer has declared that it supports
///    that. Resumes and retracts happen at most `max_resumes` times, and never after a complete tool call was delivered,
///    so that no call is run twice.
/// 3. A member whose answer breaks is marked for later calls, as after any failure.
/// 4. A call has one report, which covers the first attempt to the end of the answer.
/// 5. The destructor closes the connection abruptly, unless the answer was read to its end.
///
///     DeliveryPlan plan(chain, policy, settings, state, request, open);
///     Delivery answer = co_await deliver(std::move(plan));
///     while (const Event* event = co_await answer.next()) { ... }
///     std::cerr << answer.report().why() << "\n";
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <source_location>
#include <string>

#include "understudy/client/delivery_settings.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/stream.hpp"
#include "understudy/runtime/initiate.hpp"

namespace understudy {

/// Everything that is needed to send a request, possibly several times. `state`, the observer and everything that
/// `open` refers to must outlive the Delivery.
class DeliveryPlan {
 public:
  /// Sends the request to one member, usually with Provider::open. The request remains valid until it completes.
  using Open = std::function<asio::awaitable<Result<llm::Stream>>(const llm::Request&, Attempt&)>;

  DeliveryPlan(Chain members, const Policy& how, const DeliverySettings& what, State& memory,
               std::shared_ptr<const llm::Request> asked, Open ask)
      : chain(std::move(members)),
        policy(how),
        settings(what),
        state(&memory),
        request(std::move(asked)),
        open(std::move(ask)) {}

  /// The size of the prompt in tokens.
  DeliveryPlan& with_prompt(std::uint64_t tokens) { return prompt_tokens = tokens, *this; }
  /// Observes the call.
  DeliveryPlan& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run in this scope, and report its cause if it is cancelled. It must outlive the Delivery.
  DeliveryPlan& with_parent(Scope& scope) { return parent = &scope, *this; }
  /// See CallOptions::with_session.
  DeliveryPlan& with_session(std::string hash, std::string why) {
    session = std::move(hash);
    session_why = std::move(why);
    return *this;
  }
  /// The consumer supports Retract.
  DeliveryPlan& with_retract() { return can_retract = true, *this; }
  /// Tells which members continue an answer whose beginning is sent as the last assistant message. Default: none.
  DeliveryPlan& with_prefill(std::function<bool(const Member&)> f) {
    return takes_prefill = std::move(f), *this;
  }

  Chain chain;
  Policy policy;
  DeliverySettings settings;
  State* state;
  std::shared_ptr<const llm::Request> request;
  Open open;
  std::function<bool(const Member&)> takes_prefill;
  std::uint64_t prompt_tokens = 0;
  Observer* observer = nullptr;
  Scope* parent = nullptr;
  std::string session;
  std::string session_why;
  bool can_retract = false;
};

/// See the top of the file. Movable. Threads: only the executor on which it was made.
class UNDERSTUDY_API Delivery {
 public:
  /// No answer. It can only be assigned to and destroyed.
  Delivery() noexcept;
  Delivery(Delivery&&) noexcept;
  Delivery& operator=(Delivery&&) noexcept;
  ~Delivery();

  /// Returns the protocol of the events' raw bytes. Only a Retract changes it. Call it only after `ready` has completed
  /// with true.
  llm::Protocol protocol() const noexcept;

  /// Returns whether the answer was received as one body, so that the events' raw bytes are not frames of a stream.
  /// Precondition: as for `protocol`.
  bool whole() const noexcept;

  /// Returns whether another member has resumed the answer. Events have no raw bytes from then on, and must be encoded.
  /// Precondition: as for `protocol`.
  bool resumed() const noexcept;

  /// Returns whose reasoning the events have from now on: another member's after a resume. Precondition: as for
  /// `protocol`.
  const llm::ReasoningOrigin& origin() const noexcept;

  /// Completes with the next event, which is valid until the next call, or with nullptr at the end of a complete
  /// answer. Throws FailoverError if `ready` fails. Cancellation: as for `ready`. Callers that need to avoid the cost
  /// of a coroutine for each event use `ready` and `try_next`.
  asio::awaitable<const llm::Event*> next();

  /// Returns the next event that has already been received, or nullptr. It is valid until the next call of `ready`.
  const llm::Event* try_next();

  /// Completes with true when `try_next` has an event, or with false at the end of a complete answer. Errors: those of
  /// Stream::ready and `failover`, including the failure of every attempt. If no member could answer, the first call
  /// fails. After an error, every call fails with the same error. Cancellation: throws operation_aborted, and the
  /// answer cannot be read further.
  asio::awaitable<Result<bool>> ready();

  /// `ready` for any completion token of Asio, with the signature void(std::exception_ptr, Result<bool>). The Delivery must
  /// live until it completes.
  template <class Token>
  auto async_ready(Token&& token) {
    auto run = [this] { return ready(); };
    return initiate(get_executor(), std::move(run), std::forward<Token>(token));
  }

  /// The executor on which it was made.
  asio::any_io_executor get_executor() const;

  /// Returns the report of the call so far. It is complete when `ready` has completed with false or failed.
  const CallReport& report() const noexcept;

 private:
  friend UNDERSTUDY_API asio::awaitable<Delivery> deliver(DeliveryPlan plan,
                                                          std::source_location site);
  class Impl;
  explicit Delivery(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

/// Sends the request to the members of the chain. Completes at the commit point of the answer, when no member could
/// answer, or at the deadline; `ready` reports which. Cancellation: throws operation_aborted, as usual in Asio.
/// Threads: the executor of the caller's coroutine.
UNDERSTUDY_API asio::awaitable<Delivery> deliver(
    DeliveryPlan plan, std::source_location site = std::source_location::current());

}  // namespace understudy
