// Any bytes as a carrier: what is read is written again as a carrier that says the same.
#include "understudy/llm/carrier.hpp"

#include <cstdint>
#include <cstdlib>

using namespace understudy::llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = read_carrier(text);
  if (bool(read.carrier) == (read.why != nullptr) || (read.carrier && !is_carrier(text))) {
    std::abort();
  }
  if (read.carrier) {
    const auto again = write_carrier(*read.carrier);
    if (!again || read_carrier(*again).carrier != read.carrier) {
      std::abort();
    }
  }
  return 0;
}
