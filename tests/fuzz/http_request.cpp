// Any bytes as a client's request.
#include "http_parsing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::parse_every_way(fuzz::HttpParser::Role::request, data, size);
  return 0;
}
