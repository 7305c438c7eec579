#include "websocket_session.hpp"

#include <utility>

#include "understudy/runtime/race.hpp"

namespace understudy::gateway::detail {
namespace {

/// How long a client may take to answer a closing frame.
constexpr Clock::duration longest_goodbye = std::chrono::seconds(2);

}  // namespace

WebSocketSession::WebSocketSession(HttpExchange& http, std::size_t longest, Clock::duration idle)
    : http_(http),
      longest_(longest),
      idle_(idle),
      decoder_(longest),
      changed_(http.stream().get_executor()) {}

asio::awaitable<void> WebSocketSession::run(Handler handler) {
  HttpFields fields;
  fields.add("upgrade", "websocket");
  fields.add("connection", "upgrade");
  fields.add("sec-websocket-accept",
             websocket_accept(http_.request().headers.find("sec-websocket-key").value_or("")));
  if (const auto unsent = co_await http_.switch_protocols(fields)) {
    co_return;
  }
  auto body = [&](Scope& scope) { return converse(scope, handler); };
  try {
    co_await with_scope(std::move(body));
  } catch (const boost::system::system_error& stopped) {
    if (stopped.code() != StopReason::lost) {
      throw;
    }
  }
}

asio::awaitable<void> WebSocketSession::converse(Scope& scope, Handler& handler) {
  auto reading = [this] { return read(); };
  auto expiring = [this] { return expire(); };
  scope.spawn(std::move(reading));
  scope.spawn(std::move(expiring));
  bool cancelled = false;
  while (!ended_ && !closed_ && !cancelled) {
    if (!waiting_.empty()) {
      auto message = std::move(waiting_.front());
      waiting_.pop_front();
      answering_ = true;
      co_await handler(std::move(message));
      answering_ = false;
      heard_ = Clock::now();
    } else if (draining_) {
      co_await close(websocket_going_away, "the gateway shuts down");
    } else {
      cancelled = co_await changed_.wait();
    }
  }
  auto end_of_client = [this]() -> asio::awaitable<void> {
    bool cancelled = false;
    while (!ended_ && !cancelled) {
      cancelled = co_await changed_.wait();
    }
  };
  auto too_long = [] { return sleep_for(longest_goodbye); };
  co_await race(end_of_client, too_long);
  scope.cancel(StopReason::lost);
}

/// Reads until the client's end, or its closing frame.
asio::awaitable<void> WebSocketSession::read() {
  while (!ended_) {
    const auto part = co_await http_.read_raw();
    if (part.has_error() || part->empty()) {
      break;
    }
    heard_ = Clock::now();
    decoder_.feed(*part);
    bool closes = false;
    while (auto message = decoder_.next()) {
      closes = closes || message->kind == WebSocketKind::close;
      co_await take(std::move(*message));
    }
    if (decoder_.failure() != 0) {
      co_await close(decoder_.failure(), "");
    }
    if (closes || decoder_.failure() != 0) {
      break;
    }
  }
  end();
}

/// Closes the connection when it was not used for `idle`.
asio::awaitable<void> WebSocketSession::expire() {
  while (!ended_ && !closed_) {
    const auto now = Clock::now();
    const bool used = answering_ || !waiting_.empty();
    if (!used && now - heard_ >= idle_) {
      co_await close(websocket_going_away, "nothing was asked for some time");
    } else {
      const auto until = used ? now + idle_ : heard_ + idle_;
      co_await sleep_for(until - now);
    }
  }
}

bool WebSocketSession::has_room(std::size_t bytes) const {
  for (const auto& message : waiting_) {
    bytes += message.size();
  }
  return waiting_.size() < most_waiting && bytes <= longest_;
}

asio::awaitable<void> WebSocketSession::take(WebSocketMessage message) {
  switch (message.kind) {
    case WebSocketKind::text:
      if (!has_room(message.data.size())) {
        co_await close(websocket_policy, "too many messages wait for an answer");
        co_return;
      }
      waiting_.push_back(std::move(message.data));
      changed_.notify();
      break;
    case WebSocketKind::ping: {
      std::string pong;
      append_websocket_frame(WebSocketKind::pong, message.data, pong);
      co_await send(std::move(pong));
      break;
    }
    case WebSocketKind::close: co_await close(message.code, ""); break;
    case WebSocketKind::binary:
      co_await close(websocket_not_supported, "messages are JSON text");
      break;
    case WebSocketKind::pong: break;
  }
}

void WebSocketSession::end() {
  ended_ = true;
  changed_.notify();
}

void WebSocketSession::drain() {
  draining_ = true;
  changed_.notify();
}

asio::awaitable<void> WebSocketSession::close(std::uint16_t code, std::string_view reason) {
  if (!closed_) {
    const auto unsent = co_await send(websocket_close(code, reason));
    closed_ = true;
    if (unsent) {
      ended_ = true;
    }
  }
  changed_.notify();
}

asio::awaitable<error_code> WebSocketSession::send(std::string bytes) {
  bool cancelled = false;
  while (writing_ && !cancelled) {
    cancelled = co_await changed_.wait();
  }
  if (cancelled) {
    co_return asio::error::operation_aborted;
  }
  if (closed_ || ended_) {
    co_return asio::error::not_connected;
  }
  writing_ = true;
  const auto code = co_await http_.write_raw(bytes);
  writing_ = false;
  if (code) {
    ended_ = true;
  }
  changed_.notify();
  co_return code;
}

asio::awaitable<error_code> WebSocketSession::send_text(std::string_view text) {
  std::string frame;
  append_websocket_frame(WebSocketKind::text, text, frame);
  co_return co_await send(std::move(frame));
}

asio::awaitable<error_code> WebSocketSession::send_event(std::string_view json) {
  const auto told = on_event ? on_event(json) : std::nullopt;
  const auto sent = told ? std::string_view(*told) : json;
  co_return co_await send_text(sent);
}

asio::awaitable<error_code> WebSocketSession::send_events(std::string_view frames) {
  std::string out;
  events_.feed(frames);
  while (const auto* block = events_.next()) {
    if (block->heartbeat) {
      append_websocket_frame(WebSocketKind::ping, "", out);
    } else if (block->data.starts_with('{')) {
      const auto told = on_event ? on_event(block->data) : std::nullopt;
      append_websocket_frame(WebSocketKind::text, told ? std::string_view(*told) : block->data,
                             out);
    }
  }
  if (out.empty()) {
    co_return error_code();
  }
  co_return co_await send(std::move(out));
}

asio::awaitable<void> WebSocketSession::gone() {
  bool cancelled = false;
  while (!ended_ && !closed_ && !cancelled) {
    cancelled = co_await changed_.wait();
  }
}

}  // namespace understudy::gateway::detail
