/// LLM calls that survive the degradation of a provider. Most programs use this class of the library.
///
/// Invariants
/// 1. A client is cheap. Each io_context has its own; all of them share a ClientState.
/// 2. When a call ends (complete, cancelled or destroyed), everything that it started has ended.
/// 3. The configuration of a client never changes. A new configuration requires a new client; calls in progress keep
///    the old one.
/// 4. Two threads that use it at the same time are a bug that ends the program with a message, where it is noticed.
///    SharedClient (shared_client.hpp) is for any thread.
/// 5. A client runs one task of its own, the scope in which credentials are refreshed. `close` ends it. The destructor
///    also ends it, but does not wait until it has ended.
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
#include "understudy/client/sessions.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/call_report.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/provider.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/runtime/initiate.hpp"

namespace understudy {

/// Options of a client.
class ClientOptions {
 public:
  ClientOptions() noexcept {}

  /// Observes every call. The observer must outlive the client and its answers.
  ClientOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Requests to members of the provider `name` use this object, in place of the provider in the configuration.
  ClientOptions& with_provider(std::string name, std::shared_ptr<llm::Provider> provider) {
    return providers.insert_or_assign(std::move(name), std::move(provider)), *this;
  }

  Observer* observer = nullptr;
  std::map<std::string, std::shared_ptr<llm::Provider>> providers;
};

/// The credential that the client of a gateway has sent.
class ClientCredential {
 public:
  explicit ClientCredential(Secret s, std::string a = {})
      : secret(std::move(s)), account(std::move(a)) {}

  Secret secret;
  std::string account;  ///< what the client says of it (`chatgpt-account-id`); may be empty
};

/// Options of one call. Options that are not set are those of the client and its configuration.
class RequestOptions {
 public:
  RequestOptions() noexcept {}

  /// Observes this call. The observer must outlive the answer.
  RequestOptions& with_observer(Observer& o) { return observer = &o, *this; }
  /// Attempts run in this scope, and report its cause if it is cancelled. It must outlive the answer.
  RequestOptions& with_parent(Scope& scope) { return parent = &scope, *this; }
  /// The longest time for the whole call.
  RequestOptions& with_deadline(Clock::duration d) { return deadline = d, *this; }
  /// See delivery_settings.hpp.
  RequestOptions& with_commit(Commit point) { return commit = point, *this; }
  /// What happens when an answer breaks after a part of it was delivered, if the configuration does not specify it.
  RequestOptions& with_on_partial(OnPartial what) { return on_partial = what, *this; }
  /// How long the call waits for a member to return, if the configuration does not specify it (Policy::wait_out).
  RequestOptions& with_wait_out(Clock::duration d) { return wait_out = d, *this; }
  /// What the caller knows of the conversation that the request belongs to.
  RequestOptions& with_session(SessionIdentity identity) {
    return session = std::move(identity), *this;
  }
  /// Members of a provider with `credentials = [{client = true}]` are asked with this, if the request's protocol is of
  /// the provider's maker; without it they are left out of the chain.
  RequestOptions& with_client_credential(ClientCredential own) {
    return client_credential = std::move(own), *this;
  }
  /// The consumer supports Retract (llm/event.hpp): if a member fails within an answer, another one may start over.
  RequestOptions& with_retract() { return can_retract = true, *this; }
  /// `complete` also returns the provider's own JSON (Answer::provider_json), if the provider speaks `protocol`.
  RequestOptions& with_provider_json(llm::Protocol protocol) {
    return provider_json = protocol, *this;
  }

  Observer* observer = nullptr;
  Scope* parent = nullptr;
  std::optional<Clock::duration> deadline;
  std::optional<Commit> commit;
  std::optional<OnPartial> on_partial;
  std::optional<Clock::duration> wait_out;
  SessionIdentity session;
  std::optional<ClientCredential> client_credential;
  bool can_retract = false;
  std::optional<llm::Protocol> provider_json;
};

/// See the top of the file. Movable. Threads: a single executor, also for the destructor.
class UNDERSTUDY_API Client {
 public:
  /// Throws std::invalid_argument if the provider of a member is neither in `config` nor in `options`. (load_config
  /// never returns such a configuration.)
  Client(const asio::any_io_executor& executor, const Config& config,
         std::shared_ptr<ClientState> state, ClientOptions options = ClientOptions());
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Sends `request` to the members of the route for `request.model`, or of the main route. Completes at the commit
  /// point of the answer, or when no member could answer; the answer's `ready` reports that failure. Cancellation:
  /// throws operation_aborted. The answer may outlive the client.
  asio::awaitable<Delivery> stream(llm::Request request, RequestOptions options = RequestOptions());

  /// Like `stream`, but completes with the whole answer. If a member's answer breaks, that attempt has failed and the
  /// next member starts over, since nothing was delivered. Errors: those of `failover`.
  asio::awaitable<Outcome<llm::Answer>> complete(llm::Request request,
                                                 RequestOptions options = RequestOptions());

  /// Forwards a request without reading it (llm/forward.hpp). It is sent to those members of the route for the body's model
  /// whose provider speaks one of `protocols`. `with_own_model` has an effect only if no route is for that model. Completes
  /// when the answer has begun. Errors: those of `failover`, for which an empty chain is `model_not_found`. Cancellation:
  /// as for `stream`. The response must not outlive the client.
  asio::awaitable<Outcome<llm::ForwardedResponse>> forward(
      llm::ForwardedRequest request, std::vector<llm::Protocol> protocols,
      RequestOptions options = RequestOptions());

  /// Ends the client's own task, and closes idle connections. Completes when a refresh in progress has ended, after at
  /// most 30 s. Calls in progress continue, but credentials are no longer refreshed.
  asio::awaitable<void> close();

  /// The same for any completion token of Asio, with the signatures void(std::exception_ptr, Delivery),
  /// void(std::exception_ptr, Outcome<llm::Answer>) and void(std::exception_ptr). They run on the client's executor; the
  /// token's slot cancels them. They may outlive the client.
  template <class Token>
  auto async_stream(llm::Request request, RequestOptions options, Token&& token) {
    auto run = [core = core_, request = std::move(request),
                options = std::move(options)]() mutable {
      return stream_of(std::move(core), std::move(request), std::move(options));
    };
    return initiate(get_executor(), std::move(run), std::forward<Token>(token));
  }
  /// complete() for any completion token: `void(std::exception_ptr, Outcome<llm::Answer>)`.
  template <class Token>
  auto async_complete(llm::Request request, RequestOptions options, Token&& token) {
    auto run = [core = core_, request = std::move(request),
                options = std::move(options)]() mutable {
      return complete_of(std::move(core), std::move(request), std::move(options));
    };
    return initiate(get_executor(), std::move(run), std::forward<Token>(token));
  }
  /// close() for any completion token: `void(std::exception_ptr)`.
  template <class Token>
  auto async_close(Token&& token) {
    auto run = [core = core_] { return close_of(core); };
    return initiate(get_executor(), std::move(run), std::forward<Token>(token));
  }

  /// The executor that the client was made with.
  asio::any_io_executor get_executor() const;

 private:
  class Core;

  static asio::awaitable<Delivery> stream_of(std::shared_ptr<Core> core, llm::Request request,
                                             RequestOptions options);
  static asio::awaitable<Outcome<llm::Answer>> complete_of(std::shared_ptr<Core> core,
                                                           llm::Request request,
                                                           RequestOptions options);
  static asio::awaitable<void> close_of(std::shared_ptr<Core> core);

  std::shared_ptr<Core> core_;
};

}  // namespace understudy
