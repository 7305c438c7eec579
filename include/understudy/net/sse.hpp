/// Parses server-sent events from the pieces in which a body arrives (WHATWG HTML, "event streams").
///
/// Invariants
/// 1. The resulting blocks do not depend on how the bytes are split into pieces.
/// 2. The concatenated `raw` of all blocks equals the stream, up to the unfinished block. If a piece ends between CR
///    and LF, the block is returned without waiting, and the LF starts the `raw` of the next block.
/// 3. A block within one piece is not copied: its views point into that piece. A block that spans pieces, and data of
///    several lines, are assembled in the parser's buffers, which shrink again after an unusually large block. The
///    steady state does not allocate.
/// 4. At least `sse_padding` bytes after `data` are readable, as required by simdjson.
/// 5. Every view is valid until the next `feed`; the SseBlock itself, until the next `next`.
/// 6. Accepts arbitrary bytes and decodes nothing: an invalid UTF-8 sequence is passed on unchanged, and is replaced by
///    U+FFFD where it is converted to text (`JsonWriter`, the codecs).
/// 7. Two kinds of lines that the specification ignores are blocks of their own, because providers report errors in
///    them: a field `error` (llama.cpp, its issue 16109), and JSON without a field name, on one or several
///    lines (lemonade-sdk/lemonade#2826). Such a block ends where a line of another kind begins.
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

/// Equal to SIMDJSON_PADDING.
inline constexpr std::size_t sse_padding = 64;

/// Single lines of several MB occur in practice (encrypted reasoning, search results): protocols.md 1.4.
inline constexpr std::size_t sse_longest_block = std::size_t{16} * 1024 * 1024;

/// Why an event stream cannot be read. Values of one error category, `sse_category()`.
enum class SseError {
  block_too_long = 1,  ///< a line, or the lines of one event together, exceed the bound
};

/// The category of SseError.
UNDERSTUDY_API const boost::system::error_category& sse_category() noexcept;

/// An SseError as an error code.
inline error_code make_error_code(SseError error) noexcept {
  return {static_cast<int>(error), sse_category()};
}

/// Where the data of a block is from.
enum class SseSource : unsigned char {
  data,         ///< `data` fields, as the specification says
  error_field,  ///< `error` fields
  bare_json,    ///< lines that begin with `{` or `[`, and the lines that follow them
};

/// A block of lines ended by an empty line. A block without data is a heartbeat: it has only comments, only fields that
/// dispatch no event, or no lines.
class SseBlock {
 public:
  SseBlock() noexcept {}

  bool heartbeat = true;
  SseSource source = SseSource::data;
  std::string_view name;  ///< the `event` field; empty: "message"
  std::string_view data;  ///< its lines joined by LF
  std::string_view raw;
  std::size_t data_at =
      std::string_view::npos;  ///< offset in `raw`, if the data is a single line of it
};

/// See the top of the file. A value; one thread at a time.
class UNDERSTUDY_API SseParser {
 public:
  /// `longest_block`: the size limit of an event in bytes, all its lines together.
  explicit SseParser(std::size_t longest_block = sse_longest_block)
      : longest_block_(longest_block) {}

  /// Supplies the next piece. Call `next` until it returns nullptr before the next `feed`. The piece must stay valid
  /// and unchanged until then.
  /// `readable_beyond`: how many bytes after the end of the piece are readable, with any content. If there are fewer
  /// than `sse_padding`, an event at the very end of the piece is copied.
  void feed(std::string_view piece, std::size_t readable_beyond = 0);

  /// The next block, or nullptr if more input is needed or `error` is set.
  const SseBlock* next();

  /// Signals the proper end of the stream: `next` returns an unfinished block once more if it has an `error` field or
  /// bare JSON. Other unfinished blocks are discarded, as the specification says. Call it when `next` has returned
  /// nullptr; nothing may be fed afterwards.
  void end();

  /// Once set, it stays set.
  error_code error() const noexcept { return error_; }

  /// The number of bytes in the unfinished block. At the end of the stream they are to be discarded.
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
  const SseBlock* line(const char* block, std::size_t begin, std::size_t end);
  void field(std::string_view name, std::string_view value, std::size_t at);
  const SseBlock* add_data(SseSource source, std::string_view value, std::size_t at, Span line);
  const SseBlock* dispatch(std::size_t size);
  const SseBlock* dispatch_before(Span line);
  void carry_rest();

  std::size_t longest_block_;
  std::string_view piece_;
  std::size_t readable_beyond_ = 0;
  std::size_t begin_ = 0;  // in the piece: where the current block begins, if it began there
  std::size_t scan_ = 0;   // in the piece: everything before it was scanned
  // In the piece: the first at or after scan_, unless it is before scan_ and to be looked for again.
  std::size_t line_feed_ = 0;
  std::size_t carriage_return_ = 0;

  // The current block, in offsets from its begin.
  std::string carry_;  // its bytes, if it began in an earlier piece
  bool carrying_ = false;
  std::size_t line_ = 0;  // where the current line begins
  Span name_;
  Span data_;
  std::size_t data_lines_ = 0;
  std::string joined_;  // the data, if it has several lines
  SseSource source_ = SseSource::data;
  std::size_t held_line_ = 0;  // the end of the block's first line, if it has not been read yet
  bool holding_ = false;
  bool ending_ = false;

  std::string done_;    // the bytes of the carried block that was returned last
  text::Arena copies_;  // data that had to be copied
  bool begun_ = false;  // past the position of a byte order mark
  bool after_cr_ = false;
  SseBlock block_;
  std::string id_;
  std::optional<std::uint64_t> retry_;
  error_code error_;
};

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::SseError> : std::true_type {};
