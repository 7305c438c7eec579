// Any bytes as a carrier: what is read is written again as a carrier that says the same. And any bytes as a request,
// and as a line of a session.
#include "understudy/llm/carrier.hpp"

#include <cstdint>
#include <cstdlib>

#include "../../lib/llm/carrier_edits.hpp"
#include "understudy/llm/cleaned_session.hpp"

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
  ReasoningOrigin reader("p", "m");
  reader.home = size % 2 == 0;
  for (const auto protocol :
       {Protocol::anthropic_messages, Protocol::openai_responses, Protocol::openai_chat}) {
    const auto opened = detail::with_carriers_opened(text, protocol, reader);
    if (opened && opened->restored == 0 && opened->body.size() > size) {
      std::abort();  // what only loses reasoning becomes no longer
    }
  }
  const auto cleaned = cleaned_session_line(text);
  if (cleaned.removed == 0 && cleaned.text != text) {
    std::abort();
  }
  return 0;
}
