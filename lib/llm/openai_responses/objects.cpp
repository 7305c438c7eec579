#include "objects.hpp"

#include "text/ascii.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

void write_usage(JsonWriter& json, const Usage& usage) {
  const auto input =
      usage.input.value_or(0) + usage.cache_read.value_or(0) + usage.cache_write.value_or(0);
  json.key("usage").begin_object().member("input_tokens", input);
  json.key("input_tokens_details").begin_object();
  json.member("cached_tokens", usage.cache_read.value_or(0));  // the SDKs demand it
  if (usage.cache_write) {
    json.member("cache_write_tokens", *usage.cache_write);
  }
  json.end_object().member("output_tokens", usage.output.value_or(0));
  json.key("output_tokens_details").begin_object();
  json.member("reasoning_tokens", usage.reasoning.value_or(0)).end_object();
  json.member("total_tokens", input + usage.output.value_or(0)).end_object();
}

/// Clients decide by the code.
std::string_view code_of(const Error& error) {
  return !error.code.empty()   ? error.code
         : !error.type.empty() ? error.type
                               : std::string_view("server_error");
}

}  // namespace

std::string item_id(std::string_view prefix, std::string_view answer, std::size_t index) {
  constexpr std::size_t longest_answer = 48;
  std::string id(prefix);
  for (const char c : answer.substr(0, longest_answer)) {
    id += text::is_lower(text::lowered(c)) || text::is_digit(c) || c == '-' ? c : '_';
  }
  return id + "_" + std::to_string(index);
}

void write_response(JsonWriter& json, const ResponseObject& object) {
  json.member("id", object.id)
      .member("object", "response")
      .member("created_at", object.created.time_since_epoch().count());
  json.member("status", object.status).key("error");
  if (object.error == nullptr) {
    json.null();
  } else {
    json.begin_object().member("code", code_of(*object.error));
    json.member("message", object.error->message).end_object();
  }
  json.key("incomplete_details");
  if (object.status == "incomplete") {
    json.begin_object().member("reason", object.reason).end_object();
  } else {
    json.null();
  }
  json.key("instructions").null().key("metadata").begin_object().end_object();
  json.member("model", object.model).key("output").begin_array();
  if (object.output != nullptr) {
    for (const auto& item : *object.output) {
      if (!item.empty()) {
        json.raw(item);
      }
    }
  }
  json.end_array().member("parallel_tool_calls", true).key("temperature").null();
  json.member("tool_choice", "auto").key("tools").begin_array().end_array().key("top_p").null();
  if (object.usage == nullptr) {
    json.key("usage").null();
  } else {
    write_usage(json, *object.usage);
  }
}

void write_part(JsonWriter& json, const OutputPart& part, bool summary) {
  if (summary) {
    json.member("type", "summary_text").member("text", part.text);
  } else if (part.refusal) {
    json.member("type", "refusal").member("refusal", part.text);
  } else {
    json.member("type", "output_text").member("text", part.text);
    json.key("annotations").begin_array().end_array();
  }
}

void write_message(JsonWriter& json, std::string_view id, std::string_view status,
                   const std::vector<OutputPart>& parts) {
  json.member("id", id).member("type", "message").member("status", status);
  json.member("role", "assistant").key("content").begin_array();
  for (const auto& part : parts) {
    json.begin_object();
    write_part(json, part);
    json.end_object();
  }
  json.end_array();
}

void write_reasoning(JsonWriter& json, std::string_view id, const std::vector<OutputPart>& summary,
                     std::string_view seal) {
  json.member("id", id).member("type", "reasoning").key("summary").begin_array();
  for (const auto& part : summary) {
    json.begin_object();
    write_part(json, part, true);
    json.end_object();
  }
  json.end_array();
  if (!seal.empty()) {
    json.member("encrypted_content", seal);
  }
}

void write_call(JsonWriter& json, std::string_view id, std::string_view status,
                std::string_view call_id, std::string_view name, std::string_view arguments) {
  json.member("id", id).member("type", "function_call").member("status", status);
  json.member("call_id", call_id).member("name", name).member("arguments", arguments);
}

}  // namespace understudy::llm::detail::openai_responses
