/// What the makers' schemas require of the objects of an answer, as tables: member, types, whether it may be null.
///
/// Sources: openresponses/openresponses (schema/components/schemas), openai-node (src/resources/responses/responses.ts,
/// src/resources/chat/completions/completions.ts), anthropic-sdk-typescript (src/resources/messages/messages.ts,
/// src/resources/shared.ts).
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace strict_client::schema {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// Bits: a member may have several types.
enum Types : unsigned char {
  text = 1,
  integer = 2,
  number = 4,
  flag = 8,
  object = 16,
  list = 32,
  null = 64
};

struct Member {
  std::string_view name;
  int types;
};

inline int type_of(const element& json) {
  switch (json.type()) {
    case element_type::STRING: return text;
    case element_type::INT64:
    case element_type::UINT64: return integer | number;
    case element_type::DOUBLE: return number;
    case element_type::BOOL: return flag;
    case element_type::OBJECT: return object;
    case element_type::ARRAY: return list;
    case element_type::NULL_VALUE: return null;
    default: return 0;
  }
}

/// What is wrong with the object; empty: nothing.
inline std::string fault_of(const element& json, std::span<const Member> members,
                            std::string_view what) {
  simdjson::dom::object found;
  if (json.get(found) != simdjson::SUCCESS) {
    return std::string(what) + " is not an object";
  }
  for (const auto& member : members) {
    element value;
    if (found.at_key(member.name).get(value) != simdjson::SUCCESS) {
      return std::string(what) + " has no " + std::string(member.name);
    }
    if ((type_of(value) & member.types) == 0) {
      return std::string(what) + "." + std::string(member.name) + " is " + simdjson::minify(value);
    }
  }
  return {};
}

inline bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// --- Responses

inline constexpr std::array response{
    Member{"id", text},
    Member{"object", text},
    Member{"created_at", integer},
    Member{"completed_at", integer | null},
    Member{"status", text},
    Member{"incomplete_details", object | null},
    Member{"model", text},
    Member{"previous_response_id", text | null},
    Member{"instructions", text | list | null},
    Member{"output", list},
    Member{"error", object | null},
    Member{"tools", list},
    Member{"tool_choice", text | object},
    Member{"truncation", text},
    Member{"parallel_tool_calls", flag},
    Member{"text", object},
    Member{"top_p", number},
    Member{"presence_penalty", number},
    Member{"frequency_penalty", number},
    Member{"top_logprobs", integer},
    Member{"temperature", number},
    Member{"reasoning", object | null},
    Member{"usage", object | null},
    Member{"max_output_tokens", integer | null},
    Member{"max_tool_calls", integer | null},
    Member{"store", flag},
    Member{"background", flag},
    Member{"service_tier", text},
    Member{"metadata", object},
    Member{"safety_identifier", text | null},
    Member{"prompt_cache_key", text | null},
};
static_assert(response.size() == 31);

inline constexpr std::array response_usage{
    Member{"input_tokens", integer}, Member{"input_tokens_details", object},
    Member{"output_tokens", integer}, Member{"output_tokens_details", object},
    Member{"total_tokens", integer}};
inline constexpr std::array message_item{Member{"id", text}, Member{"type", text},
                                         Member{"status", text}, Member{"role", text},
                                         Member{"content", list}};
inline constexpr std::array call_item{Member{"id", text},     Member{"type", text},
                                      Member{"status", text}, Member{"call_id", text},
                                      Member{"name", text},   Member{"arguments", text}};
/// Of `ResponseCustomToolCall` and `ResponseToolSearchCall`, as Codex reads them (openai/codex, codex-protocol, models.rs).
inline constexpr std::array custom_call_item{Member{"id", text},     Member{"type", text},
                                             Member{"status", text}, Member{"call_id", text},
                                             Member{"name", text},   Member{"input", text}};
inline constexpr std::array search_call_item{
    Member{"id", text},      Member{"type", text},      Member{"status", text},
    Member{"call_id", text}, Member{"execution", text}, Member{"arguments", object}};
inline constexpr std::array input_done{Member{"item_id", text}, Member{"output_index", integer},
                                       Member{"input", text}};
inline constexpr std::array reasoning_item{Member{"id", text}, Member{"type", text},
                                           Member{"summary", list}};
inline constexpr std::array output_text{Member{"type", text}, Member{"text", text},
                                        Member{"annotations", list}, Member{"logprobs", list}};
inline constexpr std::array refusal_part{Member{"type", text}, Member{"refusal", text}};
inline constexpr std::array summary_part{Member{"type", text}, Member{"text", text}};
inline constexpr std::array function_tool{
    Member{"type", text}, Member{"name", text}, Member{"description", text | null},
    Member{"parameters", object | null}, Member{"strict", flag | null}};
inline constexpr std::array reasoning_settings{Member{"effort", text | null},
                                               Member{"summary", text | null}};
inline constexpr std::array text_settings{Member{"format", object}};
inline constexpr std::array response_error{Member{"code", text}, Member{"message", text}};
inline constexpr std::array error_event{
    Member{"type", text},    Member{"sequence_number", integer}, Member{"code", text | null},
    Member{"message", text}, Member{"param", text | null},       Member{"error", object}};
inline constexpr std::array delta_event{Member{"item_id", text}, Member{"output_index", integer},
                                        Member{"delta", text}};
inline constexpr std::array text_event{Member{"content_index", integer}, Member{"logprobs", list}};
inline constexpr std::array arguments_done{Member{"item_id", text}, Member{"output_index", integer},
                                           Member{"name", text}, Member{"arguments", text}};
inline constexpr std::array<std::string_view, 3> item_statuses{"in_progress", "completed",
                                                               "incomplete"};
inline constexpr std::array<std::string_view, 2> incomplete_reasons{"max_output_tokens",
                                                                    "content_filter"};
/// The enumeration, and the codes beside it that OpenAI sends and Codex reads.
inline constexpr std::array<std::string_view, 23> response_error_codes{
    "server_error",
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
    "image_file_not_found",
    "context_length_exceeded",
    "insufficient_quota",
    "usage_not_included",
    "server_is_overloaded",
    "slow_down"};

// --- Chat

inline constexpr std::array chat_chunk{Member{"id", text}, Member{"object", text},
                                       Member{"created", integer}, Member{"model", text},
                                       Member{"choices", list}};
inline constexpr std::array chunk_choice{Member{"index", integer}, Member{"delta", object},
                                         Member{"finish_reason", text | null}};
inline constexpr std::array chat_choice{Member{"index", integer}, Member{"message", object},
                                        Member{"logprobs", object | null},
                                        Member{"finish_reason", text}};
inline constexpr std::array chat_message{Member{"role", text}, Member{"content", text | null},
                                         Member{"refusal", text | null}};
inline constexpr std::array chat_call{Member{"id", text}, Member{"type", text},
                                      Member{"function", object}};
inline constexpr std::array chat_custom_call{Member{"id", text}, Member{"type", text},
                                             Member{"custom", object}};
inline constexpr std::array chat_custom{Member{"name", text}, Member{"input", text}};
inline constexpr std::array chat_function{Member{"name", text}, Member{"arguments", text}};
inline constexpr std::array chat_usage{Member{"prompt_tokens", integer},
                                       Member{"completion_tokens", integer},
                                       Member{"total_tokens", integer}};
inline constexpr std::array<std::string_view, 5> chat_finish_words{
    "stop", "length", "tool_calls", "content_filter", "function_call"};

// --- Messages

inline constexpr std::array message{Member{"id", text},
                                    Member{"type", text},
                                    Member{"role", text},
                                    Member{"model", text},
                                    Member{"content", list},
                                    Member{"stop_reason", text | null},
                                    Member{"stop_sequence", text | null},
                                    Member{"usage", object}};
inline constexpr std::array message_usage{Member{"input_tokens", integer},
                                          Member{"output_tokens", integer}};
inline constexpr std::array text_block{Member{"type", text}, Member{"text", text}};
inline constexpr std::array thinking_block{Member{"type", text}, Member{"thinking", text},
                                           Member{"signature", text}};
inline constexpr std::array redacted_block{Member{"type", text}, Member{"data", text}};
inline constexpr std::array tool_block{Member{"type", text}, Member{"id", text},
                                       Member{"name", text}, Member{"input", object}};
inline constexpr std::array<std::string_view, 7> stop_reasons{"end_turn",
                                                              "max_tokens",
                                                              "stop_sequence",
                                                              "tool_use",
                                                              "pause_turn",
                                                              "refusal",
                                                              "model_context_window_exceeded"};
inline constexpr std::array<std::string_view, 11> message_error_types{
    "invalid_request_error", "authentication_error", "billing_error",     "permission_error",
    "not_found_error",       "conflict_error",       "request_too_large", "rate_limit_error",
    "timeout_error",         "overloaded_error",     "api_error"};

}  // namespace strict_client::schema
