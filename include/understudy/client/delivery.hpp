/// An answer on its way to its consumer: whoever of the chain gives it, and though it may break.
///
/// Invariants
/// 1. Until its commit point (delivery_settings.hpp) an answer is held back: who breaks before it fails
///    like any attempt, and the next member answers without anybody noticing.
/// 2. What was delivered in part ends in one of four ways: complete; with a Failure; gone on with by another
///    member, where `on_partial` says `resume` (recovery.hpp); or taken back by a Retract and begun anew, for a
///    consumer that has declared that it can. The last two at most `max_resumes` times, and never after a
///    complete tool call was delivered: nobody runs it twice.
/// 3. A member whose answer breaks is marked as after any failure, for the calls to come.
/// 4. One call, one report, from the first attempt to the answer's end.
/// 5. Dropping it closes the connection, abruptly, unless the answer was read to its end.
///
///     DeliveryPlan plan(chain, policy, settings, state, request, open);
///     Delivery answer = co_await deliver(std::move(plan));
///     while (const Event* event = co_await answer.next()) { ... }
///     std::cerr << answer.report().why() << "\n";
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <source_location>

#include "understudy/client/delivery_settings.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/failover/observer.hpp"
#include "understudy/failover/state.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/stream.hpp"

namespace understudy {

/// Everything that it takes to ask, and to ask again. `state`, the observer and what `open` refers to must
/// outlive the Delivery.
class DeliveryPlan {
 public:
  /// Asks one member: Provider::open, as a rule. The request is there until it completes.
  using Open = std::function<asio::awaitable<Result<llm::Stream>>(const llm::Request&, Attempt&)>;

  DeliveryPlan(Chain members, const Policy& how, const DeliverySettings& what, State& memory,
               std::shared_ptr<const llm::Request> asked, Open ask)
      : chain(std::move(members)),
        policy(how),
        settings(what),
        state(&memory),
        request(std::move(asked)),
        open(std::move(ask)) {}

  DeliveryPlan& with_prompt(std::uint64_t tokens) { return prompt_tokens = tokens, *this; }
  DeliveryPlan& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run inside this scope and report its cause; it must outlive the Delivery.
  DeliveryPlan& with_parent(Scope& scope) { return parent = &scope, *this; }
  /// The consumer understands Retract.
  DeliveryPlan& with_retract() { return can_retract = true, *this; }
  /// Members that go on with an answer that was begun for them. Default: none.
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
  bool can_retract = false;
};

/// See the top of the file. Movable. Threads: the executor it was made on.
class UNDERSTUDY_API Delivery {
 public:
  Delivery(Delivery&&) noexcept;
  Delivery& operator=(Delivery&&) noexcept;
  ~Delivery();

  /// Whose words the events' raw bytes are; changes with a Retract alone. Not before `ready` has said true.
  llm::Protocol protocol() const noexcept;

  /// Whether the answer came as one body: the events' raw bytes are no frames of a stream then. As `protocol`.
  bool whole() const noexcept;

  /// Whether another member goes on with what the first one began: events have no raw bytes from then on, and
  /// are to be written anew. As `protocol`.
  bool resumed() const noexcept;

  /// Completes with the next event, valid until the next call; or with nullptr at the end of a complete
  /// answer. Throws FailoverError where `ready` fails, operation_aborted when cancelled. Who must not pay a
  /// coroutine for each event takes `ready` and `try_next` in its place.
  asio::awaitable<const llm::Event*> next();

  /// The next event that has come already, or nullptr. Valid until the next `ready`.
  const llm::Event* try_next();

  /// Completes when `try_next` has something: true; or at the end of a complete answer: false. Errors:
  /// those of Stream::ready and `failover`, with every attempt's failure in them; where no member could
  /// answer, that is the first thing that it says. Always the same one afterwards. Cancellation: throws
  /// operation_aborted, and the answer is dead.
  asio::awaitable<Result<bool>> ready();

  /// What has happened so far; all of it when `ready` has said false or failed.
  const CallReport& report() const noexcept;

 private:
  friend UNDERSTUDY_API asio::awaitable<Delivery> deliver(DeliveryPlan plan,
                                                          std::source_location site);
  class Impl;
  explicit Delivery(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

/// Asks the chain. Completes at the answer's commit point, or when nobody could answer, or at the deadline:
/// `ready` says which. Cancellation: throws operation_aborted, as Asio code does.
UNDERSTUDY_API asio::awaitable<Delivery> deliver(
    DeliveryPlan plan, std::source_location site = std::source_location::current());

}  // namespace understudy
