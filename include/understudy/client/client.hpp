/// LLM calls that stay alive when a provider degrades: what most programs want of this library.
///
/// Invariants
/// 1. Cheap to have: one for each io_context. They share a ClientState.
/// 2. Whatever a call has begun has ended when it ends: cancelled, dropped or complete.
/// 3. A configuration is fixed when the client is made; a new one is for a new client, and calls in flight
///    keep the old.
/// 4. It runs one thing of its own, the scope in which credentials are refreshed, which `close` ends. One
///    that is destroyed without ends it too, a little later.
///
///     auto config = load_config("understudy.toml").value();
///     Client client(co_await asio::this_coro::executor, config, ClientState::make(config).value());
///     Request request;
///     request.messages.emplace_back(Role::user, "Is the north tank full?");
///     auto answer = co_await client.stream(std::move(request));
///     while (const Event* event = co_await answer.next()) {
///       if (const auto* text = std::get_if<Text>(&event->body)) { std::cout << text->text; }
///     }
///     co_await client.close();
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "understudy/client/client_state.hpp"
#include "understudy/client/config.hpp"
#include "understudy/client/delivery.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/provider.hpp"
#include "understudy/llm/request.hpp"

namespace understudy {

class ClientOptions {
 public:
  ClientOptions() noexcept {}

  /// Is told of every call; must outlive the client and its answers.
  ClientOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Members of that provider are asked through this object, whatever the configuration says of it.
  ClientOptions& with_provider(std::string name, std::shared_ptr<llm::Provider> provider) {
    return providers.insert_or_assign(std::move(name), std::move(provider)), *this;
  }

  Observer* observer = nullptr;
  std::map<std::string, std::shared_ptr<llm::Provider>> providers;
};

/// What one call has of its own; else the configuration's.
class RequestOptions {
 public:
  RequestOptions() noexcept {}

  RequestOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run inside this scope and report its cause; it must outlive the answer.
  RequestOptions& with_parent(Scope& scope) { return parent = &scope, *this; }
  RequestOptions& with_deadline(Clock::duration d) { return deadline = d, *this; }
  RequestOptions& with_commit(Commit point) { return commit = point, *this; }
  /// For an answer that breaks when a part of it was seen, where the configuration says nothing.
  RequestOptions& with_on_partial(OnPartial what) { return on_partial = what, *this; }
  /// The consumer understands Retract (llm/event.hpp): where a member fails in mid-answer, another begins anew.
  RequestOptions& with_retract() { return can_retract = true, *this; }

  Observer* observer = nullptr;
  Scope* parent = nullptr;
  std::optional<Clock::duration> deadline;
  std::optional<Commit> commit;
  std::optional<OnPartial> on_partial;
  bool can_retract = false;
};

/// See the top of the file. Movable. Threads: one executor, also for its end.
class UNDERSTUDY_API Client {
 public:
  /// Throws std::invalid_argument for a member whose provider neither `config` nor `options` knows, which
  /// load_config never lets through.
  Client(const asio::any_io_executor& executor, const Config& config,
         std::shared_ptr<ClientState> state, ClientOptions options = ClientOptions());
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Asks the route for `request.model`, or the main chain. Completes at the answer's commit point, or when
  /// nobody could answer, which the answer's `ready` says. Cancellation: throws operation_aborted. The answer
  /// may outlive the client.
  asio::awaitable<Delivery> stream(llm::Request request, RequestOptions options = RequestOptions());

  /// The same for the whole answer. A member that breaks in the midst of it is one that failed: the next one
  /// begins anew, as nobody has seen anything.
  asio::awaitable<Outcome<llm::Answer>> complete(llm::Request request,
                                                 RequestOptions options = RequestOptions());

  /// The same for something that is not read here, such as embeddings, of those members of the route for the
  /// body's model whose provider speaks one of `protocols`. `with_own_model` counts where no route is for it.
  /// Completes with the body of the answer. Errors: as for `failover`, which takes an empty chain for
  /// `model_not_found`.
  asio::awaitable<Outcome<std::string>> forward(llm::ForwardedRequest request,
                                                std::vector<llm::Protocol> protocols,
                                                RequestOptions options = RequestOptions());

  /// Ends what the client runs itself, and closes the connections that it keeps. Completes when a refresh that
  /// is under way is done, 30 s at most. Calls still running go on, but no credential is refreshed any more.
  asio::awaitable<void> close();

 private:
  class Core;

  std::shared_ptr<Core> core_;
};

}  // namespace understudy
