/// Decodes a compressed body as it arrives, part by part.
///
/// Invariants
/// 1. It waits for nothing. However the body is cut, the result is the same.
/// 2. No more than `most` bytes are allocated for the result, and a chunk and a window (net/decompressor.hpp) for each
///    coding. What a coding on top of another unpacks to is bounded by `most` too: a bomb within a bomb goes off early.
/// 3. The time is proportional to the bytes that come in and go out.
/// 4. A body that is cut off, damaged, or followed by other bytes is an error, never a shorter body.
///
///     ContentDecoding decoding(*content_codings(head.headers), max_body);
///     if (auto wrong = decoding.feed(part)) { ... }
///     if (auto wrong = decoding.end()) { ... }
///     auto body = decoding.take();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/content_coding.hpp"
#include "net/decompressor.hpp"
#include "understudy/net/error.hpp"

namespace understudy::detail {

/// See the top of the file. Nothing may be fed after an error.
class ContentDecoding {
 public:
  /// `codings` in the order in which they are undone; without any, the body is as it comes.
  ContentDecoding(const std::vector<ContentCoding>& codings, std::uint64_t most);

  /// Decodes the next part. Errors: body_too_large; undecodable, whose text says what to do. Throws std::bad_alloc.
  std::optional<NetError> feed(std::string_view part) { return pass(0, part); }

  /// To be called once, after the last part. Errors: undecodable.
  std::optional<NetError> end() const;

  /// The body.
  std::string take() { return std::move(body_); }

 private:
  class Stage {
   public:
    ContentCoding coding;
    std::unique_ptr<Decompressor> decompressor;
    std::vector<char> chunk;
    std::uint64_t produced = 0;
  };

  std::optional<NetError> pass(std::size_t at, std::string_view bytes);
  std::optional<NetError> add(std::string_view bytes);

  std::vector<Stage> stages_;
  std::uint64_t most_;
  std::string body_;
};

}  // namespace understudy::detail
