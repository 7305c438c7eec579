/// The WebSocket protocol (RFC 6455) from a server's side, without any I/O and without extensions.
///
/// Invariants
/// 1. Any bytes are valid input. The messages do not depend on how the bytes are split into pieces.
/// 2. Bounded: a message is at most as long as the caller says, and at most that much is kept. The cost is linear.
/// 3. After the first violation of the protocol `failure` is set, and nothing more is decoded.
///
///     WebSocketDecoder decoder(1 << 20);
///     decoder.feed("\x81\x80\x01\x02\x03\x04");
///     assert(decoder.next()->kind == WebSocketKind::text);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy {

/// The kinds of messages, by their opcodes.
enum class WebSocketKind : unsigned char { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Codes of closing frames (RFC 6455 7.4.1).
enum WebSocketCode : std::uint16_t {
  websocket_normal = 1000,
  websocket_going_away = 1001,
  websocket_protocol_error = 1002,
  websocket_not_supported = 1003,
  websocket_not_utf8 = 1007,
  websocket_policy = 1008,
  websocket_too_big = 1009,
};

/// A whole message, or a control frame.
class WebSocketMessage {
 public:
  WebSocketMessage(WebSocketKind k, std::string bytes) : kind(k), data(std::move(bytes)) {}

  WebSocketKind kind;
  std::string data;                       ///< of close: the reason
  std::uint16_t code = websocket_normal;  ///< of close
};

/// See the top of the file. A value; one thread at a time.
class UNDERSTUDY_API WebSocketDecoder {
 public:
  explicit WebSocketDecoder(std::size_t longest_message) : longest_(longest_message) {}

  /// Appends bytes that a client has sent.
  void feed(std::string_view bytes);

  /// The next message, or nothing: more bytes are needed, or `failure` is set.
  std::optional<WebSocketMessage> next();

  /// The code with which the connection is to be closed, or 0.
  std::uint16_t failure() const noexcept { return failure_; }

 private:
  struct Header {
    bool last = false;
    unsigned opcode = 0;
    std::uint64_t size = 0;
    unsigned char mask[4]{};
  };

  bool read_header();
  std::optional<WebSocketMessage> fail(std::uint16_t code);
  std::optional<WebSocketMessage> control();
  std::optional<WebSocketMessage> data();
  std::string take_payload();

  std::size_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not decoded yet
  std::optional<Header> header_;
  std::uint64_t taken_ = 0;  // bytes of the frame's payload
  std::string payload_;      // of a control frame
  std::string message_;      // of the fragments so far
  std::optional<WebSocketKind> fragmented_;
  std::uint16_t failure_ = 0;
};

/// A message from the server, in one frame. Of close: `websocket_close`.
UNDERSTUDY_API void append_websocket_frame(WebSocketKind kind, std::string_view payload,
                                           std::string& out);

/// A closing frame. `reason` is cut to what fits.
UNDERSTUDY_API std::string websocket_close(std::uint16_t code, std::string_view reason);

/// What is wrong with a client's opening handshake, in words; empty: nothing.
UNDERSTUDY_API std::string websocket_refusal(const HttpHead& head);

/// The value of `sec-websocket-accept` for that of `sec-websocket-key`.
UNDERSTUDY_API std::string websocket_accept(std::string_view key);

}  // namespace understudy
