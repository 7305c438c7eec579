#include "events.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return understudy::fuzz::events(understudy::llm::Protocol::anthropic_messages, data, size);
}
