#include "understudy/llm/protocol_traits.hpp"

#include <optional>

#include "anthropic/protocol.hpp"
#include "openai_chat/protocol.hpp"
#include "openai_responses/protocol.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::llm {
namespace {

/// The row of an enumerator; nothing for any other value. (Optional, since under UBSAN g++ does not compare an address
/// with null in a constant.)
constexpr std::optional<const ProtocolTraits*> row_of(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::anthropic_messages: return &detail::anthropic::traits;
    case Protocol::openai_chat: return &detail::openai_chat::traits;
    case Protocol::openai_responses: return &detail::openai_responses::traits;
  }
  return std::nullopt;
}

/// The switch has every enumerator, or the compiler warns; and `protocols` has every one that the switch has.
constexpr bool all_are_listed() {
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    if (protocols[i] != static_cast<Protocol>(i) || !row_of(protocols[i])) {
      return false;
    }
  }
  return !row_of(static_cast<Protocol>(protocols.size()));
}
static_assert(all_are_listed(), "`protocols` lists every enumerator, in order");

}  // namespace

const ProtocolTraits& traits_of(Protocol protocol) noexcept { return **row_of(protocol); }

std::string_view to_string(Protocol protocol) noexcept { return traits_of(protocol).name; }

std::optional<Protocol> protocol_from(std::string_view name) noexcept {
  for (const Protocol protocol : protocols) {
    if (to_string(protocol) == name) {
      return protocol;
    }
  }
  return std::nullopt;
}

const Codec& codec_for(Protocol protocol) noexcept { return traits_of(protocol).codec; }

}  // namespace understudy::llm
