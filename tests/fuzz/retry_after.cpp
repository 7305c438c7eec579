// Any bytes as headers and body: the answer stays within its bounds, and nothing is thrown.
#include "understudy/llm/retry_after.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace understudy;
using namespace understudy::llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  const auto value = input.substr(0, line);
  const auto body = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 56));
  for (const auto* name : {"retry-after", "retry-after-ms", "date", "x-ratelimit-reset-tokens"}) {
    const HeaderField headers[] = {{name, value}};
    const auto span = retry_after(headers, body, now);
    if (span && (*span <= Clock::duration::zero() || *span > longest_retry_after)) {
      std::abort();
    }
  }
  return 0;
}
