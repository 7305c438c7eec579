#include "client/config/sections.hpp"

namespace understudy::config {

std::optional<Url> read_url(const Section& section, std::string_view key) {
  const auto written = section.text(key);
  if (!written) {
    return std::nullopt;
  }
  auto url = parse_url(*written);
  if (url.has_error()) {
    section.wrong(key, ticked(key) + " is not a URL: " + url.error().text);
    return std::nullopt;
  }
  if (!url->user_info.empty()) {
    section.wrong(key, ticked(key) + " contains a user or password",
                  "write credentials = [{env = \"EXAMPLE_API_KEY\"}], and the URL without them");
    return std::nullopt;
  }
  return std::move(*url);
}

}  // namespace understudy::config
