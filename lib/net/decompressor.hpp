/// Undoes one coding of a body in steps, by the library that knows it: zlib, libzstd or libbrotlidec.
///
/// Invariants
/// 1. It waits for nothing, and keeps no more output than a window: 32 KiB for gzip and deflate, 8 MiB for zstd, which
///    is all that a sender may ask for (RFC 9659), 16 MiB for br, whose large windows are refused.
/// 2. A step takes input, gives output, or says what is wrong; without input it may still give output.
/// 3. Data that may consist of several parts may here too: members of gzip, frames of zstd. Other bytes behind the end
///    are wrong, and so are checksums that do not fit.
/// 4. Formats of zstd older than RFC 8878 are refused: libzstd reads them with another bound for the window.
///
///     auto gzip = make_decompressor(ContentCoding::gzip);
///     const auto step = gzip->step(input, chunk);
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "net/content_coding.hpp"

namespace understudy::detail {

enum class Damage : unsigned char { none, broken, window, trailing };

/// See the top of the file.
class Decompressor {
 public:
  class Step {
   public:
    std::size_t consumed = 0;
    std::size_t produced = 0;
    Damage damage = Damage::none;
  };

  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  virtual ~Decompressor() = default;

  /// Throws std::bad_alloc. Not to be called again after damage.
  virtual Step step(std::string_view input, std::span<char> output) = 0;

  /// Whether the data may end here.
  virtual bool complete() const noexcept = 0;
};

/// Throws std::bad_alloc.
std::unique_ptr<Decompressor> make_decompressor(ContentCoding coding);

}  // namespace understudy::detail
