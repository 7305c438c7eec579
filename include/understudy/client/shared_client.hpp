/// A client that any thread may use: for services that run one io_context on many threads, or that call from threads of
/// their own.
///
/// It runs a Client on an executor of its caller's, and hops there for each call, and for each batch of a streamed
/// answer's events.
///
/// Invariants
/// 1. All functions may be called on any thread, on several at once. A SharedAnswer is used by one caller at a time.
/// 2. Operations complete on the caller's executor, or on that of the completion handler.
/// 3. Events are copies. A batch holds what had arrived when the caller asked for it, at most `SharedAnswer::most_bytes`
///    beyond its first event; nothing is read ahead of the caller, so that a slow consumer slows its provider, as with
///    Client.
/// 4. The executor runs one handler at a time: an io_context with one thread, or a strand. Its context outlives the
///    client and the answers.
///
///     asio::io_context home;                                            // one thread runs it
///     SharedClient shared(home.get_executor(), config, state);
///     auto outcome = co_await shared.complete(request);                 // on any executor
///     auto future = shared.async_complete(request, RequestOptions(), asio::use_future);
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "understudy/client/client.hpp"
#include "understudy/export.hpp"
#include "understudy/runtime/initiate.hpp"

namespace understudy {

/// A streamed answer that is read on another executor than its client's. Movable. Threads: any, one at a time.
class UNDERSTUDY_API SharedAnswer {
 public:
  static constexpr std::size_t most_bytes = std::size_t{64} * 1024;

  /// No answer. It can only be assigned to and destroyed.
  SharedAnswer() noexcept;
  SharedAnswer(SharedAnswer&&) noexcept;
  SharedAnswer& operator=(SharedAnswer&&) noexcept;
  /// Ends the answer on the client's executor, without waiting for that.
  ~SharedAnswer();

  /// As `Delivery::ready`. Cancellation: throws operation_aborted, and the answer cannot be read further.
  asio::awaitable<Result<bool>> ready();
  /// As `Delivery::try_next`. The event is valid until the next call of `ready`.
  const llm::Event* try_next() noexcept;
  /// As `Delivery::next`.
  asio::awaitable<const llm::Event*> next();

  /// The report of the call. It is complete when `ready` has completed with false or failed, and empty before.
  const CallReport& report() const noexcept;

  /// How many batches were fetched so far.
  std::uint64_t batches() const noexcept;

 private:
  friend class SharedClient;
  class Impl;
  explicit SharedAnswer(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

/// See the top of the file. Movable; moving is not thread-safe.
class UNDERSTUDY_API SharedClient {
 public:
  /// `executor`: see invariant 4. Throws as Client does.
  SharedClient(const asio::any_io_executor& executor, const Config& config,
               std::shared_ptr<ClientState> state, ClientOptions options = ClientOptions());
  SharedClient(SharedClient&&) noexcept;
  SharedClient& operator=(SharedClient&&) noexcept;
  /// Ends the client on its executor, without waiting for that. Calls in progress continue.
  ~SharedClient();

  /// As Client's. An observer is called on the client's executor; a parent scope must be one of that executor.
  /// Cancellation: throws operation_aborted when the call has ended on the client's executor.
  asio::awaitable<Outcome<llm::Answer>> complete(llm::Request request,
                                                 RequestOptions options = RequestOptions());
  /// Client::stream() from any thread. Completes on the caller's executor.
  asio::awaitable<SharedAnswer> stream(llm::Request request,
                                       RequestOptions options = RequestOptions());
  /// Client::close() from any thread. Completes on the caller's executor when the client has ended.
  asio::awaitable<void> close();

  /// `complete` and `close` for any completion token, as those of Client.
  template <class Token>
  auto async_complete(llm::Request request, RequestOptions options, Token&& token) {
    return client_->async_complete(std::move(request), std::move(options),
                                   std::forward<Token>(token));
  }
  /// close() for any completion token: `void(std::exception_ptr)`.
  template <class Token>
  auto async_close(Token&& token) {
    return client_->async_close(std::forward<Token>(token));
  }

 private:
  static asio::awaitable<SharedAnswer> opened(asio::any_io_executor executor,
                                              asio::awaitable<Delivery> call);

  /// Only what is safe on any thread is called on it: operations that begin on its executor, which also destroys it.
  std::shared_ptr<Client> client_;
};

}  // namespace understudy
