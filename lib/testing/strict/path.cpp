#include "testing/strict/path.hpp"

namespace understudy::testing::strict {

Path::Path(std::string_view text) : text_(text) {
  while (!text.empty()) {
    auto name = text.substr(0, text.find('.'));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    const bool list = name.ends_with("[]");
    if (list) {
      name.remove_suffix(2);
    }
    steps_.push_back({std::string(name), list});
  }
}

std::string Path::at(const Indices& indices) const {
  std::string out;
  std::size_t list = 0;
  for (const auto& step : steps_) {
    out += (out.empty() ? "" : ".") + step.name;
    if (step.list && list < indices.size()) {
      out += "[" + std::to_string(indices[list++]) + "]";
    }
  }
  return out;
}

}  // namespace understudy::testing::strict
