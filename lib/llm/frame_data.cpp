#include "frame_data.hpp"

#include <algorithm>

namespace understudy::llm::detail {
namespace {

/// Enough for an `event` line with the longest known type, or for `data: {"type":"..."`.
constexpr std::size_t beginning = 96;

}  // namespace

std::string_view frame_data(std::string_view raw) {
  constexpr std::string_view field = "data:";
  std::string_view data;
  while (!raw.empty()) {
    const auto line = raw.substr(0, raw.find_first_of("\r\n"));
    if (line.starts_with(field)) {
      if (!data.empty()) {
        return {};
      }
      data = line.substr(std::min(line.find_first_not_of(' ', field.size()), line.size()));
    }
    raw.remove_prefix(std::min(line.size() + 1, raw.size()));
  }
  return data;
}

std::optional<std::string> edited_frame(std::string_view raw, const text::JsonEdits& edits) {
  const auto data = frame_data(raw);
  auto edited = data.empty() ? std::nullopt : text::edit_json(data, edits);
  if (!edited) {
    return std::nullopt;
  }
  const auto at = static_cast<std::size_t>(data.data() - raw.data());
  std::string frame(raw.substr(0, at));
  return frame.append(*edited).append(raw, at + data.size());
}

bool frame_says(std::string_view raw, std::string_view type) {
  constexpr std::string_view named = "event: ";
  if (raw.starts_with(named)) {
    raw.remove_prefix(named.size());
    return raw.starts_with(type) && raw.find_first_of("\r\n", type.size()) == type.size();
  }
  return raw.substr(0, beginning).find(type) != std::string_view::npos;
}

}  // namespace understudy::llm::detail
