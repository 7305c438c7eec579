/// HTTP/1.1 messages from bytes: Beast's parser, told what came, and asked nothing of sockets.
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

/// One buffer's worth: the largest head, chunk header or trailer that is taken. (nginx and Node allow as
/// much; providers' heads are 2 to 4 KiB.)
inline constexpr std::size_t read_buffer_size = std::size_t{16} * 1024;

/// Invariants
/// 1. Any bytes may come in, cut anywhere: the outcome does not depend on the cuts.
/// 2. What it does not consume has to come again, in front of what comes next. Unconsumed bytes of a
///    whole buffer are an error, not a wait.
/// 3. A response that is compressed unasked, or a message with a transfer coding but chunked, or with
///    Content-Length beside it, is refused by name.
class UNDERSTUDY_API HttpParser {
 public:
  enum class Role : unsigned char { request, response };

  /// `body_limit` bytes of a body are taken; zero is no limit.
  HttpParser(Role role, std::uint64_t body_limit);
  ~HttpParser();
  HttpParser(HttpParser&&) noexcept;
  HttpParser& operator=(HttpParser&&) noexcept;

  class Step {
   public:
    explicit Step(std::size_t n) noexcept : consumed(n) {}

    std::size_t consumed;
    std::string_view body;  ///< a view into what was given
  };

  /// Until head_done(). Errors: malformed, header_too_large, transfer_encoding, content_encoding.
  NetResult<Step> parse_head(std::span<char> bytes);

  /// After it, until done(). The chunks of a chunked body are moved together within `bytes`, so that all
  /// of the body that came lies in one piece. Errors: malformed, header_too_large, body_too_large.
  NetResult<Step> parse_body(std::span<char> bytes);

  /// The connection ended. The error, truncated, if the message had not; else nothing.
  std::optional<NetError> end();

  /// Whether a byte has come.
  bool started() const noexcept;
  bool head_done() const noexcept;
  bool done() const noexcept;

  /// Whether the peer will take or send another message on this connection.
  bool keep_alive() const noexcept;

  HttpHead& head() noexcept;

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace understudy::detail
