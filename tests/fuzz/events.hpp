/// Any bytes as a provider's answer: however they are cut, the same events come out, and whoever writes
/// them on is not troubled.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../llm/stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::fuzz {

inline void write_on(Protocol protocol, std::string_view bytes, Protocol into) {
  const auto encoder = codec_for(into).encoder(Request());
  EventDecoder decoder(protocol);
  decoder.feed(bytes);
  std::string out;
  Answer answer;
  while (const Event* event = decoder.next()) {
    encoder->write(*event, out);
    pass(*event, "model", out);
    answer.add(*event);
  }
  codec_for(into).write_answer(answer, out);
}

inline int events(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::size_t where = data[0] * 256U + data[1];
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view view(bytes);
  const auto whole = testing::decode(protocol, {view});
  const auto cut = std::min(where, view.size());
  if (testing::decode(protocol, {view.substr(0, cut), view.substr(cut)}).events != whole.events) {
    std::abort();
  }
  testing::decode(protocol, {view}, BodyShape::whole);
  for (const auto into :
       {Protocol::anthropic_messages, Protocol::openai_chat, Protocol::openai_responses}) {
    write_on(protocol, view, into);
  }
  return 0;
}

}  // namespace understudy::fuzz
