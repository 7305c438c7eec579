/// Server-sent events out of the pieces in which a body arrives (WHATWG HTML, "event streams").
///
/// Invariants
/// 1. However the bytes are cut into pieces, the same blocks come out.
/// 2. The `raw` of all blocks, one after the other, is the stream, up to the block that is not finished.
///    Where a piece ends between CR and LF, the block is not held back: the LF opens the next one's `raw`.
/// 3. A block that lies within one piece is not copied: its views point into that piece. One that does
///    not, and data of several lines, are put together in buffers of the parser's own, which shrink again
///    after an unusually large block. In steady state nothing is allocated.
/// 4. At least `sse_padding` bytes after `data` may be read, which is what simdjson asks for.
/// 5. Every view is valid until the next `feed`; the SseBlock itself, until the next `next`.
/// 6. Any bytes may come in. Nothing is decoded: an invalid UTF-8 sequence is handed on as it came, and
///    becomes U+FFFD where text is made of it (`JsonWriter`, the codecs).
///
///     SseParser sse;
///     sse.feed("event: ping\ndata: {}\n\n: keep-alive\n\n");
///     sse.next();  // an event: name "ping", data "{}"
///     sse.next();  // a heartbeat
///     sse.next();  // nothing: more input is needed
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "understudy/export.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy {

using boost::system::error_code;

/// As much as SIMDJSON_PADDING.
inline constexpr std::size_t sse_padding = 64;

/// Single lines of several MB are seen (encrypted reasoning, search results): protocols.md 1.4.
inline constexpr std::size_t sse_longest_block = std::size_t{16} * 1024 * 1024;

enum class SseError {
  block_too_long = 1,  ///< a line, or the lines of one event together, exceed the bound
};

UNDERSTUDY_API const boost::system::error_category& sse_category() noexcept;

inline error_code make_error_code(SseError error) noexcept {
  return {static_cast<int>(error), sse_category()};
}

/// What an empty line ended. Without data it is a heartbeat: comments alone, fields that dispatch
/// nothing, or nothing at all.
class SseBlock {
 public:
  SseBlock() noexcept {}

  bool heartbeat = true;
  std::string_view name;  ///< the `event` field; empty: "message"
  std::string_view data;  ///< its lines joined by LF
  std::string_view raw;
  std::size_t data_at = std::string_view::npos;  ///< where in `raw`, if the data are one line of it
};

/// See the top of the file. A value; one thread at a time.
class UNDERSTUDY_API SseParser {
 public:
  /// `longest_block`: in bytes, all lines of an event together.
  explicit SseParser(std::size_t longest_block = sse_longest_block)
      : longest_block_(longest_block) {}

  /// Takes the next piece. Ask `next` until there is nothing before feeding another. The piece must stay
  /// as it is until the next `feed`.
  /// `readable_beyond`: how many bytes after the piece's end may be read, whatever they are; with fewer
  /// than `sse_padding`, an event at the very end of the piece is copied.
  void feed(std::string_view piece, std::size_t readable_beyond = 0);

  /// The next block, or nullptr if more input is needed or `error` says why there will be none.
  const SseBlock* next();

  /// Set once and for good.
  error_code error() const noexcept { return error_; }

  /// Bytes of the block that is not finished. At the end of the stream they are to be thrown away.
  std::size_t pending() const noexcept {
    return carrying_ ? carry_.size() + piece_.size() - scan_ : piece_.size() - begin_;
  }

  /// The value of the last `id` field.
  std::string_view last_event_id() const noexcept { return id_; }

  /// The last valid `retry`, in milliseconds. No API for LLMs uses it over POST.
  std::optional<std::uint64_t> retry_milliseconds() const noexcept { return retry_; }

 private:
  struct Span {
    std::size_t at = 0;
    std::size_t size = 0;
  };

  std::size_t line_end();
  void field(const char* block, std::size_t begin, std::size_t end);
  const SseBlock* dispatch();
  void carry_rest();

  std::size_t longest_block_;
  std::string_view piece_;
  std::size_t readable_beyond_ = 0;
  std::size_t begin_ = 0;  // in the piece: where the block under way begins, if it began there
  std::size_t scan_ = 0;   // in the piece: what comes before has been looked at
  // In the piece: the first at or after scan_, unless it is before scan_ and to be looked for again.
  std::size_t line_feed_ = 0;
  std::size_t carriage_return_ = 0;

  // The block under way, in offsets from its begin.
  std::string carry_;  // its bytes, if it began in an earlier piece
  bool carrying_ = false;
  std::size_t line_ = 0;  // where the line under way begins
  Span name_;
  Span data_;
  std::size_t data_lines_ = 0;
  std::string joined_;  // the data, if they are several lines

  std::string done_;    // the bytes of the carried block that was returned
  text::Arena copies_;  // data that had to be copied
  bool begun_ = false;  // past the place where a byte order mark may stand
  bool after_cr_ = false;
  SseBlock block_;
  std::string id_;
  std::optional<std::uint64_t> retry_;
  error_code error_;
};

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::SseError> : std::true_type {};
