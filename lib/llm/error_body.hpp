/// Error objects in all the forms that providers give them (protocols.md 2.4, 3.3, 4.2, 5).
#pragma once

#include <string_view>

#include "text/json.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::llm::detail {

/// Reads one member of an object that may be an error: `error` (an object or text), or `message`, `type`,
/// `code`, `detail` at the top, or MiniMax's `base_resp`. Others are passed over. False if it is malformed.
bool read_error_member(json::ondemand::raw_json_string key, json::ondemand::value& value,
                       text::Arena& arena, Error& error);

/// The same for a whole body; any bytes. The views are into the arena or `body`.
Error read_error_body(std::string_view body, text::Arena& arena);

/// For Codec::read_error: the views are into `body` or `scratch`.
Error read_error_body(std::string_view body, std::string& scratch);

}  // namespace understudy::llm::detail
