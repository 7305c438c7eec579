// Any bytes as status, provider, message and body: a rule fits, and the message is bounded and valid.
#include "understudy/llm/classify.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace understudy;
using namespace understudy::llm;

namespace {

std::string_view take_line(std::string_view& input) {
  const auto line = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto number = take_line(input);
  int status = 0;
  std::from_chars(number.data(), number.data() + number.size(), status);
  const auto provider = take_line(input);
  const auto message = take_line(input);
  const llm::HeaderField headers[] = {{"server", provider}, {"x-amzn-errortype", message}};
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 56));
  const auto result = classify(ProviderError()
                                   .with_status(status)
                                   .with_provider(provider)
                                   .with_model(provider)
                                   .with_headers(headers)
                                   .with_event(provider)
                                   .with_message(message)
                                   .with_body(input),
                               now);
  const bool well = !result.rule.empty() && result.message.size() <= classify_message_limit &&
                    simdjson::validate_utf8(result.message) && !to_string(result.reason).empty();
  if (!well) {
    std::abort();
  }
  return 0;
}
