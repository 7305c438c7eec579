#include "../../lib/net/content_decoding.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>

#include "../growth.hpp"
#include "compressed.hpp"

using namespace understudy;
using namespace understudy::detail;

namespace {

using Codings = std::vector<ContentCoding>;

constexpr std::size_t mib = std::size_t{1} << 20U;
constexpr std::size_t part_size = 16 * 1024;

struct Decoded {
  std::string text;
  std::optional<NetError> wrong;
  std::size_t fed = 0;
  std::size_t capacity = 0;

  bool damaged() const { return wrong && wrong->code == NetFault::undecodable; }
  bool too_large() const { return wrong && wrong->code == NetFault::body_too_large; }
  bool says(std::string_view words) const {
    return wrong && to_string(*wrong).find(words) != std::string::npos;
  }
};

Decoded decode(const Codings& codings, const std::vector<std::string_view>& parts,
               std::uint64_t most = mib) {
  ContentDecoding decoding(codings, most);
  Decoded got;
  for (const auto part : parts) {
    if ((got.wrong = decoding.feed(part))) {
      break;
    }
    got.fed += part.size();
  }
  if (!got.wrong) {
    got.wrong = decoding.end();
  }
  got.text = decoding.take();
  got.capacity = got.text.capacity();
  return got;
}

std::vector<std::string_view> in_parts(std::string_view bytes, std::size_t size = part_size) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    parts.push_back(bytes.substr(at, size));
  }
  return parts;
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) {
    all += piece;
  }
  return all;
}

/// Text that compresses as sessions do.
std::string noise(std::size_t bytes) {
  std::string text;
  for (std::uint32_t state = 1; text.size() < bytes;) {
    state = state * 1'103'515'245U + 12'345U;
    text += static_cast<char>('a' + (state >> 16U) % 20);
  }
  return text;
}

const std::string gzip_of_nothing =
    compressed::from_hex("1f8b08000000000000030300000000000000" + std::string("0000"));
const std::string zstd_of_nothing = compressed::from_hex("28b52ffd2000010000");

/// Data that says much and holds nothing.
struct Chaff {
  const char* what;
  ContentCoding coding;
  std::string begin;
  std::string piece;
  std::string end;

  std::string bytes(std::size_t size) const { return begin + repeated(piece, size) + end; }
};

const std::vector<Chaff>& chaff() {
  using compressed::from_hex;
  static const std::vector<Chaff> all{
      {"members of gzip", ContentCoding::gzip, "", gzip_of_nothing, ""},
      {"frames of zstd", ContentCoding::zstd, "", zstd_of_nothing, ""},
      {"frames of zstd with a window each", ContentCoding::zstd, "", from_hex("28b52ffd0068010000"),
       ""},
      {"frames of zstd to be skipped", ContentCoding::zstd, "", from_hex("502a4d1800000000"),
       zstd_of_nothing},
      {"blocks of zstd", ContentCoding::zstd, from_hex("28b52ffd0068"), from_hex("000000"),
       from_hex("010000")},
      {"blocks of deflate", ContentCoding::deflate, from_hex("789c"), from_hex("000000ffff"),
       from_hex("030000000001")},
      {"blocks of br", ContentCoding::brotli, from_hex("0c"), from_hex("06"), from_hex("03")},
  };
  return all;
}

}  // namespace

TEST_CASE("what other programs compressed, cut at every byte, and byte by byte") {
  for (const auto& sample : compressed::samples()) {
    CAPTURE(sample.made_by);
    const auto bytes = sample.bytes();
    const std::string_view all = bytes;
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
      CAPTURE(cut);
      const auto got = decode({sample.coding}, {all.substr(0, cut), all.substr(cut)});
      CHECK_FALSE(got.wrong);
      CHECK(got.text == compressed::sample_text);
    }
    CHECK(decode({sample.coding}, in_parts(all, 1)).text == compressed::sample_text);
  }
}

TEST_CASE("large bodies come back, in each coding, and in each on top of each other") {
  const auto text = noise(300'000) + std::string(300'000, ' ') + noise(100'000);
  for (const auto inner : compressed::codings()) {
    CAPTURE(to_string(inner));
    const auto once = compressed::as(inner, text);
    CHECK(decode({inner}, in_parts(once)).text == text);
    for (const auto outer : compressed::codings()) {
      CAPTURE(to_string(outer));
      const auto twice = compressed::as(outer, once);
      const auto got = decode({outer, inner}, in_parts(twice, 1000));
      CHECK_FALSE(got.wrong);
      CHECK(got.text == text);
      CHECK(decode({outer, inner}, in_parts(twice).size() > 1
                                       ? in_parts(std::string_view(twice).substr(1))
                                       : in_parts("x"))
                .damaged());
    }
  }
}

TEST_CASE("nothing compressed is an empty body; nothing at all is none") {
  for (const auto coding : compressed::codings()) {
    CAPTURE(to_string(coding));
    const auto empty = compressed::as(coding, "");
    const auto got = decode({coding}, {empty});
    CHECK_FALSE(got.wrong);
    CHECK(got.text.empty());
    CHECK(decode({coding}, {}).says("ends too soon"));
    CHECK(decode({coding}, {""}).says("ends too soon"));
  }
  CHECK(decode({}, {"as it ", "is"}).text == "as it is");
}

TEST_CASE("a body that is cut off, at any byte, is an error that says so") {
  for (const auto& sample : compressed::samples()) {
    CAPTURE(sample.made_by);
    const auto bytes = sample.bytes();
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      CAPTURE(cut);
      const auto got = decode({sample.coding}, {std::string_view(bytes).substr(0, cut)});
      CHECK(got.damaged());
      CHECK(got.says("ends too soon; send all of it, or send it without `content-encoding`"));
    }
  }
}

TEST_CASE("a damaged byte: an error, or no difference; without a checksum another text") {
  for (const auto& sample : compressed::samples()) {
    CAPTURE(sample.made_by);
    const auto bytes = sample.bytes();
    std::size_t errors = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const unsigned flipped : {0x01U, 0x10U, 0x80U, 0xffU}) {
        CAPTURE(at);
        auto changed = bytes;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flipped);
        const auto got = decode({sample.coding}, in_parts(changed, 7));
        errors += got.wrong ? 1 : 0;
        CHECK((got.wrong || !sample.checked || got.text == compressed::sample_text));
      }
    }
    CHECK(errors > bytes.size());
  }
}

TEST_CASE("bytes behind the end are refused, wherever the parts are cut") {
  for (const auto& sample : compressed::samples()) {
    CAPTURE(sample.made_by);
    for (const std::string_view behind : {"\n", "{}", "garbage behind the end"}) {
      const auto bytes = sample.bytes() + std::string(behind);
      for (const std::size_t size : {bytes.size(), std::size_t{1}, sample.bytes().size()}) {
        const auto got = decode({sample.coding}, in_parts(bytes, size));
        CHECK(got.damaged());
        // Whether one byte begins another member is not known yet.
        CHECK((got.says("followed by other bytes") || behind.size() == 1));
      }
      CHECK(decode({sample.coding}, {sample.bytes() + std::string(1, '\0')}).damaged());
    }
  }
}

TEST_CASE("members of gzip and frames of zstd may follow each other, the others may not") {
  for (const auto coding : compressed::codings()) {
    CAPTURE(to_string(coding));
    const auto bytes =
        compressed::as(coding, "one ") + compressed::as(coding, "") + compressed::as(coding, "two");
    const bool several = coding == ContentCoding::gzip || coding == ContentCoding::zstd;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      const auto got = decode({coding}, in_parts(bytes, size));
      CHECK(got.damaged() != several);
      CHECK((!several || got.text == "one two"));
    }
  }
}

TEST_CASE("what is not of the coding at all") {
  for (const auto coding : compressed::codings()) {
    for (const std::string_view text :
         {"{\"model\":\"m\"}", "<html>", "\xff\xff\xff\xff\xff\xff"}) {
      CAPTURE(to_string(coding));
      CAPTURE(text);
      CHECK(decode({coding}, {text}).damaged());
    }
  }
  // Deflate without the zlib format around it, which few send and RFC 9110 8.4.1.2 does not mean.
  CHECK(decode({ContentCoding::deflate}, {compressed::deflated("raw", -MAX_WBITS)}).damaged());
}

TEST_CASE("windows that would take more memory are refused, with what to do") {
  const auto wide =
      decode({ContentCoding::zstd}, {compressed::from_hex("28b52ffd04884c0000080001")});
  CHECK(
      wide.says("its zstd window is larger than 8 MiB (RFC 9659); compress it at level 19 or "
                "lower, without `--long`"));
  // Node's, with BROTLI_PARAM_LARGE_WINDOW.
  const auto large = compressed::from_hex(
      "115a3c01207224d83184179e5ec03014c8e6525f16e9966c288282cd6291f3000937d88003f640b771c585061f76"
      "c04667b870163d968711875041bccbe395f648a49a6d60e503");
  CHECK(decode({ContentCoding::brotli}, {large}).damaged());
  for (const char* older :
       {"25b52ffd", "26b52ffd", "27b52ffd", "1eb52ffd"}) {  // of zstd, up to v0.7
    CHECK(decode({ContentCoding::zstd}, {compressed::from_hex(older)}).damaged());
  }
}

TEST_CASE("the limit is one of bytes: what has just as many is read") {
  const auto text = noise(100'000);
  for (const auto coding : compressed::codings()) {
    CAPTURE(to_string(coding));
    const auto bytes = compressed::as(coding, text);
    CHECK(decode({coding}, {bytes}, text.size()).text == text);
    CHECK(decode({coding}, {bytes}, text.size() - 1).too_large());
    CHECK(decode({coding}, {bytes}, 1).too_large());
  }
  CHECK(decode({}, {"abc"}, 2).too_large());
}

TEST_CASE("a bomb: a GiB of zeros, against a MiB") {
  const std::string zeros(16 * mib, '\0');
  for (const auto coding : compressed::codings()) {
    CAPTURE(to_string(coding));
    // 64 members where they may follow each other; else one of 16 MiB says the same.
    const auto one = compressed::as(coding, zeros);
    const bool several = coding == ContentCoding::gzip || coding == ContentCoding::zstd;
    const auto bomb = repeated(one, several ? 64 * one.size() : one.size());
    const auto before = mallinfo2();
    const auto began = growth::thread_seconds();
    const auto got = decode({coding}, in_parts(bomb));
    const auto took = growth::thread_seconds() - began;
    const auto after = mallinfo2();
    CHECK(got.too_large());
    CHECK(got.capacity <= mib);
    CHECK(got.fed <= part_size);
    CHECK(took < 0.1);
    CHECK(after.uordblks + after.hblkhd <= before.uordblks + before.hblkhd + 2 * mib);
    const auto nested = compressed::as(ContentCoding::gzip, bomb);
    CHECK(decode({ContentCoding::gzip, coding}, in_parts(nested)).too_large());
  }
}

TEST_CASE("a coding that unpacks to much for another that makes nothing of it is bounded too") {
  for (const auto& one : chaff()) {
    CAPTURE(one.what);
    const auto inner = one.bytes(8 * mib);
    const auto bomb = compressed::as(ContentCoding::zstd, inner);
    const auto got = decode({ContentCoding::zstd, one.coding}, in_parts(bomb));
    CHECK(got.too_large());
    CHECK(got.text.empty());
  }
}

TEST_CASE("data that holds nothing costs little, and is no error") {
  for (const auto& one : chaff()) {
    CAPTURE(one.what);
    const auto bytes = one.bytes(100'000);
    const auto got = decode({one.coding}, in_parts(bytes, 1000));
    CHECK_FALSE(got.wrong);
    CHECK(got.text.empty());
  }
}

TEST_SUITE("full") {
  TEST_CASE("the time to decode grows no faster than the body") {
    for (const auto coding : compressed::codings()) {
      const auto found = growth::of(
          [&](std::size_t bytes) {
            return [=, body = compressed::as(coding, noise(bytes))] {
              decode({coding}, in_parts(body), 64 * mib);
            };
          },
          8 * mib);
      CHECK_MESSAGE(found.ratio() <= growth::linear, to_string(coding), ": ", found);
    }
    for (const auto& one : chaff()) {
      const auto found = growth::of(
          [&](std::size_t bytes) {
            return [=, &one, body = one.bytes(bytes)] { decode({one.coding}, in_parts(body)); };
          },
          4 * mib);
      CHECK_MESSAGE(found.ratio() <= growth::linear, one.what, ": ", found);
    }
  }
}
