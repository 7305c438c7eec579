/// Values of members of a request that say what holds anyway, so that nothing is lost with them.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace understudy::llm::detail {

/// Whether `json`, without white space, is the default of the member at the top of a body.
inline bool is_default_member(std::string_view name, std::string_view json) noexcept {
  using Default = std::pair<std::string_view, std::string_view>;
  constexpr std::array defaults{
      Default{"n", "1"},
      Default{"store", "false"},
      Default{"background", "false"},
      Default{"parallel_tool_calls", "true"},
      Default{"service_tier", R"("auto")"},
      Default{"service_tier", R"("default")"},
      Default{"truncation", R"("disabled")"},
      Default{"metadata", "{}"},
      Default{"logprobs", "false"},
      Default{"presence_penalty", "0"},
      Default{"frequency_penalty", "0"},
      Default{"temperature", "1"},
      Default{"top_p", "1"},
  };
  return json == "null" ||
         std::find(defaults.begin(), defaults.end(), Default{name, json}) != defaults.end();
}

}  // namespace understudy::llm::detail
