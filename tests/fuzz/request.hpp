/// Any bytes as a client's request: read, written in every protocol, and read again.
#pragma once

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
  codec.read_request(
      once);  // handed on as it came, the caller's JSON need not be valid to its last byte
  return 0;
}

}  // namespace understudy::fuzz
