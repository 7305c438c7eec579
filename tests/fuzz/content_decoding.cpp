// Any bytes as a compressed body: however they are cut, the same comes of them, and never more than the limit.
#include "net/content_decoding.hpp"

#include <cstdlib>
#include <string>
#include <vector>

using namespace understudy;
using namespace understudy::detail;

namespace {

constexpr std::uint64_t most = 64 * 1024;

struct Decoded {
  std::string body;
  std::string wrong;

  bool operator==(const Decoded& other) const { return body == other.body && wrong == other.wrong; }
};

Decoded decode(const std::vector<ContentCoding>& codings, std::string_view bytes,
               std::size_t step) {
  ContentDecoding decoding(codings, most);
  std::optional<NetError> wrong;
  for (std::size_t at = 0; at < bytes.size() && !wrong; at += step) {
    const auto part = bytes.substr(at, step);
    const std::vector<char> memory(part.begin(), part.end());
    wrong = decoding.feed({memory.data(), memory.size()});
  }
  if (!wrong) {
    wrong = decoding.end();
  }
  Decoded decoded{decoding.take(), wrong ? "not decoded" : ""};
  if (decoded.body.size() > most || decoded.body.capacity() > most) {
    std::abort();
  }
  if (wrong) {
    decoded.body.clear();  // how much of it came before the error may differ
  }
  return decoded;
}

}  // namespace

/// The first byte: the coding, and one on top of it; the second: the size of the parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  constexpr unsigned kinds = 4;
  std::vector<ContentCoding> codings{static_cast<ContentCoding>(data[0] % kinds)};
  if ((data[0] & 0x10U) != 0) {
    codings.push_back(static_cast<ContentCoding>((data[0] >> 5U) % kinds));
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t step = data[1] + std::size_t{1};
  if (!(decode(codings, bytes, bytes.size() + 1) == decode(codings, bytes, step))) {
    std::abort();
  }
  return 0;
}
