/// The objects that answers of the Responses API consist of, streamed or whole.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail::openai_responses {

/// A text or refusal part of a message, or a part of a reasoning item's summary.
struct OutputPart {
  bool refusal;
  std::string text;
};

/// A `response` object.
struct ResponseObject {
  std::string_view id;
  std::string_view model;
  std::chrono::sys_seconds created;
  std::string_view status;
  const ExtraFields& echo;       // of the request; see echo.hpp
  std::string_view reason = {};  // of an incomplete one
  const Error* error = nullptr;  // of a failed one
  const Usage* usage = nullptr;
  const std::vector<std::string>* output = nullptr;  // items as JSON text
};

/// The code of an error in an answer. The SDK has an enumeration of these, and clients decide by them.
std::string_view error_code_of(const Error& error);

/// Members of the object that is open.
void write_response(JsonWriter& json, const ResponseObject& object);
void write_part(JsonWriter& json, const OutputPart& part, bool summary = false);
void write_message(JsonWriter& json, std::string_view id, std::string_view status,
                   const std::vector<OutputPart>& parts);
void write_reasoning(JsonWriter& json, std::string_view id, const std::vector<OutputPart>& summary,
                     std::string_view seal);

/// A call, in the form of its tool.
struct CallObject {
  ToolForm form;
  std::string_view id;
  std::string_view status;
  std::string_view call_id;
  std::string_view name;
  std::string_view name_space;
  std::string_view arguments;  // of a custom call: its input
};

/// How the id of such a call begins.
std::string_view call_id_prefix(ToolForm form);

void write_call(JsonWriter& json, const CallObject& call);

}  // namespace understudy::llm::detail::openai_responses
