/// Any bytes as a client's request: what was understood is written so that it is understood again, alike.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "understudy/llm/codec.hpp"

namespace understudy::fuzz {

inline int request(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  const auto& codec = codec_for(protocol);
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::string scratch;
  codec.read_error(body, scratch);
  with_members(body, {{"model", "\"m\""}});
  const auto read = codec.read_request(body);
  if (!read) {
    return read.error().message.empty() ? std::abort(), 1 : 0;
  }
  std::string once;
  codec.write_request(*read, once);
  for (const auto into :
       {Protocol::anthropic_messages, Protocol::openai_chat, Protocol::openai_responses}) {
    std::string translated;
    codec_for(into).write_request(*read, translated);
  }
  // JSON of the caller's is handed on as it came, and need not be valid to its last byte.
  simdjson::dom::parser parser;
  const bool valid = parser.parse(once).error() == simdjson::SUCCESS;
  const auto again = codec.read_request(once);
  if (!valid || !again) {
    return 0;
  }
  std::string twice;
  codec.write_request(*again, twice);
  if (twice != once) {
    std::abort();
  }
  return 0;
}

}  // namespace understudy::fuzz
