#include "objects.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "llm/request_json.hpp"
#include "text/json_edit.hpp"
#include "understudy/runtime/wall_clock.hpp"

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

/// `ResponseError.code` of openai-node (src/resources/responses/responses.ts).
constexpr std::array<std::string_view, 18> codes{"server_error",
                                                 "rate_limit_exceeded",
                                                 "invalid_prompt",
                                                 "vector_store_timeout",
                                                 "invalid_image",
                                                 "invalid_image_format",
                                                 "invalid_base64_image",
                                                 "invalid_image_url",
                                                 "image_too_large",
                                                 "image_too_small",
                                                 "image_parse_error",
                                                 "image_content_policy_violation",
                                                 "invalid_image_mode",
                                                 "image_file_too_large",
                                                 "unsupported_image_media_type",
                                                 "empty_image_file",
                                                 "failed_to_download_image",
                                                 "image_file_not_found"};

/// OpenAI's own codes that the enumeration lacks, by which Codex decides whether to compact, to wait or to give up
/// (openai/codex, codex-api, its reader of `response.failed`).
constexpr std::array<std::string_view, 5> codes_of_agents{
    "context_length_exceeded", "insufficient_quota", "usage_not_included", "server_is_overloaded",
    "slow_down"};

bool has(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::string_view error_code_of(const Error& error) {
  for (const auto word : {error.code, error.type}) {
    if (has(codes, word) || has(codes_of_agents, word)) {
      return word;
    }
  }
  for (const auto word : {error.code, error.type}) {
    if (word.find("rate_limit") != std::string_view::npos || word == "429") {
      return "rate_limit_exceeded";
    }
  }
  return "server_error";
}

void write_response(JsonWriter& json, const ResponseObject& object) {
  const auto created = object.created.time_since_epoch().count();
  json.member("id", object.id).member("object", "response").member("created_at", created);
  json.key("completed_at");
  if (object.status == "completed") {
    json.value(std::max(created, unix_time().time_since_epoch().count()));
  } else {
    json.null();
  }
  json.member("status", object.status).key("error");
  if (object.error == nullptr) {
    json.null();
  } else {
    json.begin_object().member("code", error_code_of(*object.error));
    json.member("message", object.error->message).end_object();
  }
  json.key("incomplete_details");
  if (object.status == "incomplete") {
    json.begin_object().member("reason", object.reason).end_object();
  } else {
    json.null();
  }
  json.member("model", object.model).key("output").begin_array();
  if (object.output != nullptr) {
    for (const auto& item : *object.output) {
      if (!item.empty()) {
        json.raw(item);
      }
    }
  }
  json.end_array();
  for (const auto& [name, text] : object.echo) {
    json.key(name).raw(text);
  }
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
    json.key("logprobs").begin_array().end_array();
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

std::string_view call_id_prefix(ToolForm form) {
  switch (form) {
    case ToolForm::function: break;
    case ToolForm::custom: return "ctc_";
    case ToolForm::search: return "tsc_";
  }
  return "fc_";
}

void write_call(JsonWriter& json, const CallObject& call) {
  const auto begin = [&](std::string_view type) {
    json.member("id", call.id).member("type", type).member("status", call.status);
    json.member("call_id", call.call_id);
  };
  const auto name = [&] {
    json.member("name", call.name);
    if (!call.name_space.empty()) {
      json.member("namespace", call.name_space);
    }
  };
  switch (call.form) {
    case ToolForm::function:
      begin("function_call");
      name();
      json.member("arguments", call.arguments);
      break;
    case ToolForm::custom:
      begin("custom_tool_call");
      name();
      json.member("input", call.arguments);
      break;
    case ToolForm::search:
      begin("tool_search_call");
      json.member("execution", "client").key("arguments");
      if (call.arguments.empty() || is_json_object(call.arguments)) {
        json.raw(object_or_empty(call.arguments));
      } else {
        json.value(call.arguments);
      }
      break;
  }
}

}  // namespace understudy::llm::detail::openai_responses
