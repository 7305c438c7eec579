/// The data of one event's own bytes, to be replaced in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/json_edit.hpp"

namespace understudy::llm::detail {

/// The value of the only `data` line of a frame. Empty: it has none, or several.
std::string_view frame_data(std::string_view raw);

/// The frame with the edits applied to its data; nothing if that is not one line of well-formed JSON.
std::optional<std::string> edited_frame(std::string_view raw, const text::JsonEdits& edits);

/// Whether the frame says `type` at its beginning: in its `event` line, or as the first member of its data.
bool frame_says(std::string_view raw, std::string_view type);

}  // namespace understudy::llm::detail
