#include "net/decompressor.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace understudy::detail {
namespace {

constexpr int zstd_window_log = 23;  // 8 MiB

/// gzip, and the zlib format, which has no members to follow each other.
class Inflater final : public Decompressor {
 public:
  explicit Inflater(ContentCoding coding) : several_(coding == ContentCoding::gzip) {
    constexpr int gzip_alone = 16;
    if (inflateInit2(&stream_, MAX_WBITS + (several_ ? gzip_alone : 0)) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Inflater() override { inflateEnd(&stream_); }

  Step step(std::string_view input, std::span<char> output) override {
    Step step;
    if (complete_ && (input.empty() || !several_)) {
      step.damage = input.empty() ? Damage::none : Damage::trailing;
      return step;
    }
    if (complete_) {
      inflateReset(&stream_);
      complete_ = false;
      follows_ = true;
    }
    const auto room = [](std::size_t size) {
      return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
    };
    // zlib's interface is older than const.
    stream_.next_in =
        const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));  // NOLINT(*-const-cast)
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    const auto given = stream_.avail_in = room(input.size());
    const auto space = stream_.avail_out = room(output.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    step.consumed = given - stream_.avail_in;
    step.produced = space - stream_.avail_out;
    if (code == Z_MEM_ERROR) {
      throw std::bad_alloc();
    }
    complete_ = code == Z_STREAM_END;
    if (code != Z_OK && code != Z_BUF_ERROR && !complete_) {
      step.damage = follows_ && stream_.total_out == 0 ? Damage::trailing : Damage::broken;
    }
    return step;
  }

  bool complete() const noexcept override { return complete_; }

 private:
  z_stream stream_{};
  bool several_;
  bool complete_ = false;
  bool follows_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream(), ZSTD_freeDStream) {
    if (!stream_ || ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax,
                                                        zstd_window_log)) != 0) {
      throw std::bad_alloc();
    }
  }

  Step step(std::string_view input, std::span<char> output) override {
    if (magic_size_ < magic_.size()) {
      return begin_frame(input);
    }
    return run(input, output);
  }

  bool complete() const noexcept override { return follows_ && magic_size_ == 0; }

 private:
  Step begin_frame(std::string_view input) {
    Step step;
    while (magic_size_ < magic_.size() && step.consumed < input.size()) {
      magic_[magic_size_++] = input[step.consumed++];
    }
    if (!may_be_magic()) {
      step.damage = follows_ ? Damage::trailing : Damage::broken;
    } else if (magic_size_ == magic_.size()) {
      step.damage = run({magic_.data(), magic_.size()}, {}).damage;
    }
    return step;
  }

  /// Whether what is known of it begins a frame, or one to be skipped.
  bool may_be_magic() const {
    constexpr std::string_view frame = "\x28\xb5\x2f\xfd";
    constexpr std::string_view skipped = "\x2a\x4d\x18";  // behind 0x50 to 0x5f
    const std::string_view known(magic_.data(), magic_size_);
    const bool skippable = known.empty() || (static_cast<unsigned char>(known[0]) & 0xf0U) == 0x50U;
    return frame.starts_with(known) ||
           (skippable && skipped.starts_with(known.substr(std::min<std::size_t>(1, known.size()))));
  }

  Step run(std::string_view input, std::span<char> output) {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const auto hint = ZSTD_decompressStream(stream_.get(), &out, &in);
    Step step;
    step.consumed = in.pos;
    step.produced = out.pos;
    if (ZSTD_isError(hint) != 0) {
      const auto code = ZSTD_getErrorCode(hint);
      if (code == ZSTD_error_memory_allocation) {
        throw std::bad_alloc();
      }
      step.damage =
          code == ZSTD_error_frameParameter_windowTooLarge ? Damage::window : Damage::broken;
    } else if (hint == 0) {
      follows_ = true;
      magic_size_ = 0;
    }
    return step;
  }

  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
  std::array<char, 4> magic_{};  // of the frame under way
  std::size_t magic_size_ = 0;
  bool follows_ = false;  // a frame has ended
};

class BrotliDecompressor final : public Decompressor {
 public:
  BrotliDecompressor()
      : decoder_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr),
                 BrotliDecoderDestroyInstance) {
    if (!decoder_) {
      throw std::bad_alloc();
    }
  }

  Step step(std::string_view input, std::span<char> output) override {
    Step step;
    if (complete_) {
      step.damage = input.empty() ? Damage::none : Damage::trailing;
      return step;
    }
    auto unread = input.size();
    auto space = output.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* to = reinterpret_cast<std::uint8_t*>(output.data());
    const auto result =
        BrotliDecoderDecompressStream(decoder_.get(), &unread, &next, &space, &to, nullptr);
    step.consumed = input.size() - unread;
    step.produced = output.size() - space;
    complete_ = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (result == BROTLI_DECODER_RESULT_ERROR) {
      const auto code = BrotliDecoderGetErrorCode(decoder_.get());
      if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
          code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
        throw std::bad_alloc();
      }
      step.damage = Damage::broken;
    }
    return step;
  }

  bool complete() const noexcept override { return complete_; }

 private:
  std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> decoder_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::zstd: return std::make_unique<ZstdDecompressor>();
    case ContentCoding::brotli: return std::make_unique<BrotliDecompressor>();
    case ContentCoding::gzip:
    case ContentCoding::deflate: break;
  }
  return std::make_unique<Inflater>(coding);
}

}  // namespace understudy::detail
