// Any bytes as what a client sends over a WebSocket: the messages do not depend on how the bytes are cut, and each text
// message is read as a request.
#include "understudy/net/websocket.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../lib/gateway/websocket_turns.hpp"

using understudy::WebSocketDecoder;
using understudy::WebSocketKind;
using understudy::gateway::detail::WebSocketTurns;

namespace {

constexpr std::size_t longest = 4096;

struct Seen {
  std::vector<std::string> messages;
  std::uint16_t failure = 0;
};

Seen decoded(std::string_view bytes, std::size_t piece) {
  WebSocketDecoder decoder(longest);
  Seen seen;
  while (!bytes.empty()) {
    decoder.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (auto message = decoder.next()) {
      if (message->data.size() > longest) {
        std::abort();
      }
      seen.messages.push_back(static_cast<char>(message->kind) + std::to_string(message->code) +
                              message->data);
    }
  }
  seen.failure = decoder.failure();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = decoded(bytes, std::max<std::size_t>(size, 1));
  const auto cut = decoded(bytes, size % 7 + 1);
  if (whole.messages != cut.messages || whole.failure != cut.failure) {
    std::abort();
  }
  WebSocketTurns turns(longest);
  turns.read(bytes, "resp_1", 1);
  turns.event(bytes);
  const auto turn = turns.read(bytes, "resp_2", 1);
  const auto* const ask = std::get_if<WebSocketTurns::Ask>(&turn);
  if (ask != nullptr && ask->body.find('{') == std::string::npos) {
    std::abort();
  }
  return 0;
}
