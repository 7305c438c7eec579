/// Any bytes as a client's request: read, and written in every protocol. Valid JSON stays valid JSON, and
/// what was read, written, read and written again in its own protocol is the same bytes. Of a body that is not
/// valid to its last byte this cannot be asked: the caller's own JSON in it is handed on unread.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "understudy/llm/codec.hpp"

namespace understudy::fuzz {

using namespace llm;

inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

inline int request(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  const auto& codec = codec_for(protocol);
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  simdjson::dom::parser parser;
  const auto valid = [&](std::string_view text) {
    return !text.empty() && parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
  };
  std::string scratch;
  codec.read_error(body, scratch);
  with_members(body, {{"model", "\"m\""}});
  const auto read = codec.read_request(body);
  if (!read) {
    require(!read.error().message.empty());
    return 0;
  }
  const bool well_formed = valid(body);
  for (const auto into : protocols) {
    std::string translated;
    codec_for(into).write_request(*read, translated);
    require(valid(translated) || !well_formed);
  }
  std::string once;
  codec.write_request(*read, once);
  const auto again = codec.read_request(once);
  if (well_formed) {
    require(again.has_value());
    std::string twice;
    codec.write_request(*again, twice);
    require(twice == once);
  }
  return 0;
}

}  // namespace understudy::fuzz
