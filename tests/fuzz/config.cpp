// Any bytes as a configuration: it is read, or each error has a place, a text and a suggestion, and none of
// them a control character.
#include "understudy/client/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

using namespace understudy;
using namespace understudy::llm;

namespace {

bool well(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto environment = [](const char* /*name*/) -> const char* { return nullptr; };
  const auto config = parse_config(text, "fuzz.toml", environment);
  if (config) {
    return 0;
  }
  const auto& errors = config.error().errors;
  const bool told = !errors.empty() && std::all_of(errors.begin(), errors.end(), [](const auto& e) {
    return well(e.what) && well(e.suggestion) && (e.place.line == 0) == (e.place.column == 0);
  });
  if (!told) {
    std::abort();
  }
  return 0;
}
