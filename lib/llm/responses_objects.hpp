/// The objects that answers of the Responses API consist of, streamed or whole.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/json_writer.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::detail {

/// A text or refusal part of a message, or a part of a reasoning item's summary.
struct ResponsesPart {
  bool refusal;
  std::string text;
};

/// A `response` object.
struct ResponsesObject {
  std::string_view id;
  std::string_view model;
  std::chrono::sys_seconds created;
  std::string_view status;
  std::string_view reason = {};  // of an incomplete one
  const Error* error = nullptr;  // of a failed one
  const Usage* usage = nullptr;
  const std::vector<std::string>* output = nullptr;  // items as JSON text
};

/// An item's name. These are only compared with each other, but clients send them back, and OpenAI takes letters,
/// digits, `_` and `-`, at most 64.
std::string responses_item_id(std::string_view prefix, std::string_view answer, std::size_t index);

/// Members of the object that is open.
void write_responses_object(JsonWriter& json, const ResponsesObject& object);
void write_responses_part(JsonWriter& json, const ResponsesPart& part, bool summary = false);
void write_responses_message(JsonWriter& json, std::string_view id, std::string_view status,
                             const std::vector<ResponsesPart>& parts);
void write_responses_reasoning(JsonWriter& json, std::string_view id,
                               const std::vector<ResponsesPart>& summary, std::string_view seal);
void write_responses_call(JsonWriter& json, std::string_view id, std::string_view status,
                          std::string_view call_id, std::string_view name,
                          std::string_view arguments);

}  // namespace understudy::detail
