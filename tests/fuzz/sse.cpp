// Any bytes as an event stream: however they are cut, the same blocks come out, and their raw bytes are
// the stream.
#include "understudy/net/sse.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

using namespace understudy;

namespace {

struct Parsed {
  std::vector<std::string> blocks;
  std::string raw;
  bool failed;

  bool operator==(const Parsed& other) const {
    return blocks == other.blocks && failed == other.failed;
  }
};

Parsed parse(const std::vector<std::string_view>& pieces) {
  SseParser sse(1024);
  Parsed parsed{};
  const auto drain = [&] {
    while (const SseBlock* block = sse.next()) {
      parsed.raw += block->raw;
      parsed.blocks.push_back(block->heartbeat
                                  ? ":"
                                  : std::string(block->name) + "\n" + std::string(block->data) +
                                        "\n" + std::string(sse.last_event_id()) +
                                        (block->source == SseSource::data ? "" : "!"));
    }
  };
  for (const auto piece : pieces) {
    const std::vector<char> memory(piece.begin(), piece.end());
    sse.feed({memory.data(), memory.size()});
    drain();
  }
  sse.end();
  drain();
  parsed.failed = bool(sse.error());
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = parse({bytes});
  std::vector<std::string_view> pieces;
  const std::size_t step = data[0] % 64 + 1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    pieces.push_back(bytes.substr(at, step));
  }
  if (!(parse(pieces) == whole) || !bytes.starts_with(whole.raw)) {
    std::abort();
  }
  return 0;
}
