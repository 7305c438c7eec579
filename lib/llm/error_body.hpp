/// Error objects in all the forms that providers give them (protocols.md 2.4, 3.3, 4.2, 5).
#pragma once

#include <string_view>

#include "text/json.hpp"
#include "understudy/llm/detail/payload.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::llm::detail {

/// Reads one member of an object that may be an error: `error`, `errors` or `detail` (an object, text, or a list, of
/// which the first element counts); `message`, `msg`, `error_message`, `type`, `error_type`, `code` and their variants;
/// MiniMax's `base_resp`. Others are passed over. False if it is malformed.
bool read_error_member(json::ondemand::raw_json_string key, json::ondemand::value& value,
                       text::Arena& arena, Error& error);

/// Whether anything was read that says what is wrong.
bool says_error(const Error& error);

/// The same for a whole body; any bytes: text that is not JSON is the message. Of a list, the first element counts. The
/// views are into the arena or `body`.
Error read_error_body(std::string_view body, text::Arena& arena);

/// For a reader that has found no answer in `body`: replaces the payload's events by the error that it says. Returns
/// nullptr then, or else `why`.
const char* read_error_instead(std::string_view body, const char* why, EventSink& sink);

/// For Codec::read_error: the views are into `body` or `scratch`.
Error read_error_body(std::string_view body, std::string& scratch);

}  // namespace understudy::llm::detail
