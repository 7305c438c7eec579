/// Parses HTTP/1.1 messages from bytes with Beast's parser, independent of sockets.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::detail {

/// The size of one buffer: the largest head, chunk header or trailer that is accepted. (nginx and Node have similar
/// limits; the heads of providers are 2 to 4 KiB.)
inline constexpr std::size_t read_buffer_size = std::size_t{16} * 1024;

/// Invariants
/// 1. Accepts arbitrary input, split anywhere: the result does not depend on how the input is split.
/// 2. The caller must pass unconsumed bytes again, followed by the next bytes. If a full buffer is not consumed at
///    all, that is an error.
/// 3. A response compressed although the request did not ask for it, a message with a transfer coding other than
///    chunked, and one with both Transfer-Encoding and Content-Length are rejected, each with its own error.
class UNDERSTUDY_API HttpParser {
 public:
  enum class Role : unsigned char { request, response };

  /// At most `body_limit` bytes of a body are accepted; zero means no limit.
  HttpParser(Role role, std::uint64_t body_limit);
  ~HttpParser();
  HttpParser(HttpParser&&) noexcept;
  HttpParser& operator=(HttpParser&&) noexcept;

  class Step {
   public:
    explicit Step(std::size_t n) noexcept : consumed(n) {}

    std::size_t consumed;
    std::string_view body;  ///< a view into the input
  };

  /// To be called until head_done(). Errors: malformed, header_too_large, transfer_encoding, content_encoding.
  NetResult<Step> parse_head(std::span<char> bytes);

  /// To be called after head_done(), until done(). The chunks of a chunked body are moved together within `bytes`, so
  /// that the received part of the body is contiguous. Errors: malformed, header_too_large, body_too_large.
  NetResult<Step> parse_body(std::span<char> bytes);

  /// Notes the end of the connection. Returns `truncated` if the message is incomplete, else nothing.
  std::optional<NetError> end();

  /// Whether any byte was received.
  bool started() const noexcept;
  bool head_done() const noexcept;
  bool done() const noexcept;

  /// Whether the peer will accept or send another message on this connection.
  bool keep_alive() const noexcept;

  HttpHead& head() noexcept;

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace understudy::detail
