/// A WebSocket connection of a client: its messages one after the other, and events back.
///
/// Invariants
/// 1. One reader and one writer at a time: what is written concurrently waits, and pings are answered at once also while
///    an answer is written.
/// 2. Bounded: a message is at most `longest` bytes, and at most `most_waiting` messages wait for an earlier one, which
///    together are not longer.
/// 3. The connection ends with the session. What a client sends against the protocol closes it with the code for that.
///
///     WebSocketSession session(http, max_body, idle);
///     co_await session.run([&](std::string message) -> asio::awaitable<void> { co_await session.send_text(answer); });
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/net/detail/wake_up.hpp"
#include "understudy/net/http_server.hpp"
#include "understudy/net/sse.hpp"
#include "understudy/net/websocket.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. Threads: the exchange's executor. The exchange must outlive it.
class WebSocketSession {
 public:
  static constexpr std::size_t most_waiting = 8;
  /// The longest time for which a connection is used, as at OpenAI's service.
  static constexpr Clock::duration longest_age = std::chrono::minutes(60);

  using Handler = std::function<asio::awaitable<void>(std::string message)>;

  /// `idle`: how long the connection stays open without a message or a ping, while nothing is answered.
  WebSocketSession(HttpExchange& http, std::size_t longest, Clock::duration idle);
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  /// Accepts the handshake and calls `handler` for each text message, one at a time. Completes when the connection has
  /// ended.
  asio::awaitable<void> run(Handler handler);

  /// Sends a text message. Errors: as for HttpExchange::write.
  asio::awaitable<error_code> send_text(std::string_view text);

  /// Sends an event as `send_text` does, or what `on_event` returns for it.
  asio::awaitable<error_code> send_event(std::string_view json);

  /// Sends each event of a piece of an event stream as a message of its own, or what `on_event` returns for it. A heartbeat
  /// becomes a ping.
  asio::awaitable<error_code> send_events(std::string_view frames);
  std::function<std::optional<std::string>(std::string_view json)> on_event;

  /// Completes when the client has gone, or the caller was cancelled.
  asio::awaitable<void> gone();

  /// Closes the connection once no answer is being written.
  void drain();

  bool is_old() const { return Clock::now() - began_ > longest_age; }

 private:
  asio::awaitable<void> converse(Scope& scope, Handler& handler);
  asio::awaitable<void> read();
  asio::awaitable<void> expire();
  asio::awaitable<void> take(WebSocketMessage message);
  asio::awaitable<error_code> send(std::string bytes);
  bool has_room(std::size_t bytes) const;
  asio::awaitable<void> close(std::uint16_t code, std::string_view reason);
  void end();

  HttpExchange& http_;
  std::size_t longest_;
  Clock::duration idle_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point heard_ = Clock::now();
  WebSocketDecoder decoder_;
  SseParser events_;
  std::deque<std::string> waiting_;
  understudy::detail::WakeUp changed_;
  bool writing_ = false;
  bool answering_ = false;
  bool draining_ = false;
  bool closed_ = false;  // a closing frame was sent
  bool ended_ = false;   // nothing more can be read
};

}  // namespace understudy::gateway::detail
