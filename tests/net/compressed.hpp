/// Compresses bodies for tests, by the encoders of the libraries; and fixed bodies that other programs compressed.
#pragma once

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../../lib/net/content_coding.hpp"

namespace compressed {

using understudy::detail::ContentCoding;

inline std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  constexpr int level = 6;
  constexpr int memory = 8;
  if (deflateInit2(&stream, level, Z_DEFLATED, window_bits, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string with_zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

inline std::string with_brotli(std::string_view text) {
  constexpr int quality = 2;
  auto size = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(size, '\0');
  if (BrotliEncoderCompress(quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, text.size(),
                            reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE) {
    throw std::runtime_error("BrotliEncoderCompress");
  }
  out.resize(size);
  return out;
}

inline std::string as(ContentCoding coding, std::string_view text) {
  constexpr int gzip_alone = 16;
  switch (coding) {
    case ContentCoding::zstd: return with_zstd(text);
    case ContentCoding::brotli: return with_brotli(text);
    case ContentCoding::gzip: return deflated(text, MAX_WBITS + gzip_alone);
    case ContentCoding::deflate: break;
  }
  return deflated(text, MAX_WBITS);
}

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  }
  return bytes;
}

/// What each of `samples()` holds.
inline constexpr std::string_view sample_text =
    R"({"model": "any", "input": "The show goes on, and on, and on: the show goes on."})";

class Sample {
 public:
  std::string_view made_by;
  ContentCoding coding;
  std::string_view hex;
  bool checked;  ///< has a checksum

  std::string bytes() const { return from_hex(hex); }
};

inline const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"zstd -19, from a pipe", ContentCoding::zstd,
       "28b52ffd0468d5010062c30b11a0edbce9dc9712ab4daedac79dd47f5303f3c159142506ba6e668fe1a26683"
       "c62dee1ed374834725b7b83265d765020045f5018d0b0564521b59",
       true},
      {"zstd --no-check", ContentCoding::zstd,
       "28b52ffd2050f5010024037b226d6f64656c223a2022616e79222c2022696e7075745468652073686f772067"
       "6f6573206f6e2c20616e643a20742e227d030045f571c5d8096613",
       false},
      {"gzip -9", ContentCoding::gzip,
       "1f8b0800000000000203ab56cacd4f49cd51b252504accab54d25150cacc2b282d01f1433252158a33f2cb15"
       "d2f3538b15f2f3741412f35290682b851234157a4ab5000b66af8750000000",
       true},
      {"Python's zlib", ContentCoding::deflate,
       "78daab56cacd4f49cd51b252504accab54d25150cacc2b282d01f1433252158a33f2cb15d2f3538b15f2f374"
       "1412f35290682b851234157a4ab500ffeb19cc",
       true},
      {"Node's brotli", ContentCoding::brotli,
       "1b4f00881c09760ce185a717300c05b2b9d49745ba251b8aa060b358e43c40c20d36e0803dd06d5c71a1c187"
       "1db0d1192e9c458fe561c4215410eff278a53d12a9661b58f9",
       false},
  };
  return all;
}

inline const std::vector<ContentCoding>& codings() {
  static const std::vector<ContentCoding> all{ContentCoding::zstd, ContentCoding::brotli,
                                              ContentCoding::gzip, ContentCoding::deflate};
  return all;
}

}  // namespace compressed
