/// Streams as providers send them, by hand: what the fixtures lack.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/protocol.hpp"

namespace provider_streams {

using understudy::llm::Protocol;

/// A stream, and what a client makes of it.
struct ProviderStream {
  Protocol protocol;
  std::string_view name;
  std::string bytes;
  bool complete = true;  // else it ends with an error, or breaks off
};

namespace detail {

inline std::string chunk(std::string_view choice_members) {
  return R"(data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[{"index":0,)" +
         std::string(choice_members) + "}]}\n\n";
}
inline std::string delta(std::string_view members, std::string_view finish = "null") {
  return chunk("\"delta\":{" + std::string(members) + "},\"finish_reason\":" + std::string(finish));
}
inline std::string chat_call(int index, std::string_view id, std::string_view arguments) {
  const std::string begin = "\"tool_calls\":[{\"index\":" + std::to_string(index) + ",";
  const std::string named = "\"id\":\"" + std::string(id) + R"(","type":"function",)";
  return delta(begin + (id.empty() ? "" : named) + "\"function\":{" +
               (id.empty() ? "" : R"("name":"look_up",)") + "\"arguments\":\"" +
               std::string(arguments) + "\"}}]");
}

inline std::string event(std::string_view type, std::string_view members) {
  return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"" +
         (members.empty() ? "" : ",") + std::string(members) + "}\n\n";
}
inline std::string message_start() {
  return event(
      "message_start",
      R"("message":{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}})");
}
inline std::string block(int index, std::string_view content_block, std::string_view deltas,
                         bool stopped = true) {
  const auto at = "\"index\":" + std::to_string(index);
  return event("content_block_start", at + ",\"content_block\":" + std::string(content_block)) +
         event("content_block_delta", at + ",\"delta\":" + std::string(deltas)) +
         (stopped ? event("content_block_stop", at) : "");
}
inline std::string text_block(int index, bool stopped = true) {
  return block(index, R"({"type":"text","text":""})", R"({"type":"text_delta","text":"Nineteen."})",
               stopped);
}
inline std::string tool_block(int index, std::string_view id, std::string_view json,
                              bool stopped = true) {
  return block(
      index, R"({"type":"tool_use","id":")" + std::string(id) + R"(","name":"look_up","input":{}})",
      R"({"type":"input_json_delta","partial_json":")" + std::string(json) + "\"}", stopped);
}
inline std::string message_end(std::string_view reason) {
  return event("message_delta", R"("delta":{"stop_reason":")" + std::string(reason) +
                                    R"(","stop_sequence":null},"usage":{"output_tokens":9})") +
         event("message_stop", "");
}

inline std::string response(std::string_view type, std::string_view members,
                            std::string_view output = "") {
  return event(
      type,
      R"("response":{"id":"resp_7","object":"response","created_at":1790000000,"model":"m",)" +
          std::string(members) + R"(,"output":[)" + std::string(output) + "]}");
}
inline std::string created() {
  return response("response.created", R"("status":"in_progress")") +
         response("response.in_progress", R"("status":"in_progress")");
}
inline std::string item(int index, std::string_view begun, std::string_view between,
                        std::string_view done) {
  const auto at = "\"output_index\":" + std::to_string(index);
  return event("response.output_item.added", at + ",\"item\":" + std::string(begun)) +
         std::string(between) +
         event("response.output_item.done", at + ",\"item\":" + std::string(done));
}
inline std::string message_item(int index, bool refusal = false) {
  const std::string id = "msg_" + std::to_string(index);
  const std::string type = refusal ? "refusal" : "output_text";
  const auto part = [&](std::string_view text) {
    return "{\"type\":\"" + type + "\",\"" + (refusal ? "refusal" : "text") + "\":\"" +
           std::string(text) + "\"}";
  };
  const auto at = "\"item_id\":\"" + id + "\",\"output_index\":" + std::to_string(index) +
                  ",\"content_index\":0,";
  const auto with = [&](std::string_view content, std::string_view status) {
    return R"({"type":"message","role":"assistant","id":")" + id + "\",\"status\":\"" +
           std::string(status) + "\",\"content\":[" + std::string(content) + "]}";
  };
  return item(index, with("", "in_progress"),
              event("response.content_part.added", at + "\"part\":" + part("")) +
                  event("response." + type + ".delta", at + R"("delta":"Nineteen.")") +
                  event("response.content_part.done", at + "\"part\":" + part("Nineteen.")),
              with(part("Nineteen."), "completed"));
}
inline std::string call_begin(int index) {
  return event("response.output_item.added",
               "\"output_index\":" + std::to_string(index) +
                   R"(,"item":{"type":"function_call","id":"fc_)" + std::to_string(index) +
                   R"(","call_id":"call_)" + std::to_string(index) +
                   R"(","name":"look_up","arguments":"","status":"in_progress"})");
}
inline std::string call_delta(int index, std::string_view json) {
  return event("response.function_call_arguments.delta",
               "\"output_index\":" + std::to_string(index) + ",\"item_id\":\"fc_" +
                   std::to_string(index) + "\",\"delta\":\"" + std::string(json) + "\"");
}
inline std::string call_end(int index, std::string_view json,
                            std::string_view status = "completed") {
  return event("response.output_item.done",
               "\"output_index\":" + std::to_string(index) +
                   R"(,"item":{"type":"function_call","id":"fc_)" + std::to_string(index) +
                   R"(","call_id":"call_)" + std::to_string(index) +
                   R"(","name":"look_up","arguments":")" + std::string(json) + "\",\"status\":\"" +
                   std::string(status) + "\"}");
}
inline std::string completed() { return response("response.completed", R"("status":"completed")"); }

constexpr std::string_view quito = R"({\"city\":\"Quito\"})";
constexpr std::string_view half = R"({\"city\":\"Quito\",\"unit\":\"cel)";

inline std::vector<ProviderStream> chat_streams() {
  const std::string role = delta(R"("role":"assistant","content":"")");
  const std::string text = delta(R"("content":"Nineteen.")");
  const std::string usage =
      R"(data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14}})"
      "\n\n";
  const std::string done = "data: [DONE]\n\n";
  const auto finish = [&](std::string_view word) {
    return delta("", "\"" + std::string(word) + "\"") + usage + done;
  };
  const auto stream = [](std::string_view name, std::string bytes, bool complete = true) {
    return ProviderStream{Protocol::openai_chat, name, std::move(bytes), complete};
  };
  return {
      stream("text", role + text + finish("stop")),
      stream("reasoning", role + delta(R"("reasoning_content":"Hm.")") + text + finish("stop")),
      stream("one call", role + chat_call(0, "call_a", quito) + finish("tool_calls")),
      stream("text and two calls", role + text + chat_call(0, "call_a", quito) +
                                       chat_call(1, "call_b", quito) + finish("tool_calls")),
      stream("calls in turn", role + chat_call(0, "call_a", "{") + chat_call(1, "call_b", "{") +
                                  chat_call(0, "", "}") + chat_call(1, "", "}") +
                                  finish("tool_calls")),
      stream("text after a call",
             role + chat_call(0, "call_a", quito) + text + finish("tool_calls")),
      stream("refusal", role + delta(R"("refusal":"No.")") + finish("stop")),
      stream("filter", role + text + finish("content_filter")),
      stream("limit in text", role + text + finish("length")),
      stream("limit in a call", role + text + chat_call(0, "call_a", half) + finish("length")),
      stream("an unknown word", role + text + finish("eos_token_found")),
      stream("another maker's word", role + text + finish("end_turn")),
      stream("an error",
             role + text +
                 "data: {\"error\":{\"message\":\"full\",\"type\":\"overloaded\","
                 "\"code\":503}}\n\n",
             false),
  };
}

inline std::vector<ProviderStream> message_streams() {
  const auto stream = [](std::string_view name, std::string bytes, bool complete = true) {
    return ProviderStream{Protocol::anthropic_messages, name, std::move(bytes), complete};
  };
  const std::string thinking =
      block(0, R"({"type":"thinking","thinking":"","signature":""})",
            R"({"type":"thinking_delta","thinking":"Hm."})", false) +
      event("content_block_delta",
            R"("index":0,"delta":{"type":"signature_delta","signature":"c2VhbA=="})") +
      event("content_block_stop", R"("index":0)");
  const std::string redacted =
      event("content_block_start",
            R"("index":0,"content_block":{"type":"redacted_thinking","data":"c2VhbA=="})") +
      event("content_block_stop", R"("index":0)");
  return {
      stream("text", message_start() + text_block(0) + message_end("end_turn")),
      stream("reasoning", message_start() + thinking + text_block(1) + message_end("end_turn")),
      stream("redacted", message_start() + redacted + text_block(1) + message_end("end_turn")),
      stream("one call",
             message_start() + tool_block(0, "toolu_a", quito) + message_end("tool_use")),
      stream("two calls", message_start() + text_block(0) + tool_block(1, "toolu_a", quito) +
                              tool_block(2, "toolu_b", "") + message_end("tool_use")),
      stream("text after a call", message_start() + tool_block(0, "toolu_a", quito) +
                                      text_block(1) + message_end("tool_use")),
      stream("refusal", message_start() + text_block(0) + message_end("refusal")),
      stream("pause", message_start() + text_block(0) + message_end("pause_turn")),
      stream("limit in text", message_start() + text_block(0) + message_end("max_tokens")),
      stream("window",
             message_start() + text_block(0) + message_end("model_context_window_exceeded")),
      stream("limit in a call", message_start() + text_block(0) +
                                    tool_block(1, "toolu_a", half, false) +
                                    message_end("max_tokens")),
      stream("an unknown word", message_start() + text_block(0) + message_end("moonlight")),
      stream("message_start twice", message_start() + text_block(0, false) + message_start() +
                                        text_block(0) + message_end("end_turn")),
      stream("an error",
             message_start() + text_block(0, false) +
                 event("error", R"("error":{"type":"overloaded_error","message":"full"})"),
             false),
  };
}

inline std::vector<ProviderStream> response_streams() {
  const auto stream = [](std::string_view name, std::string bytes, bool complete = true) {
    return ProviderStream{Protocol::openai_responses, name, std::move(bytes), complete};
  };
  const auto incomplete = [](std::string_view reason) {
    return response(
        "response.incomplete",
        R"("status":"incomplete","incomplete_details":{"reason":")" + std::string(reason) + "\"}");
  };
  const auto call = [](int index, std::string_view json) {
    return call_begin(index) + call_delta(index, json) + call_end(index, json);
  };
  const std::string reasoning = item(
      0, R"({"type":"reasoning","id":"rs_7","summary":[]})",
      event(
          "response.reasoning_summary_part.added",
          R"("item_id":"rs_7","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""})") +
          event("response.reasoning_summary_text.delta",
                R"("item_id":"rs_7","output_index":0,"summary_index":0,"delta":"Hm.")"),
      R"({"type":"reasoning","id":"rs_7","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"c2VhbA=="})");
  return {
      stream("text", created() + message_item(0) + completed()),
      stream("reasoning", created() + reasoning + message_item(1) + completed()),
      stream("one call", created() + call(0, quito) + completed()),
      stream("two calls",
             created() + message_item(0) + call(1, quito) + call(2, "{}") + completed()),
      stream("calls in turn", created() + call_begin(0) + call_begin(1) + call_delta(0, quito) +
                                  call_delta(1, quito) + call_end(0, quito) + call_end(1, quito) +
                                  completed()),
      stream("text after a call", created() + call(0, quito) + message_item(1) + completed()),
      stream("refusal", created() + message_item(0, true) + completed()),
      stream("limit in text", created() + message_item(0) + incomplete("max_output_tokens")),
      stream("limit in a call", created() + message_item(0) + call_begin(1) + call_delta(1, half) +
                                    call_end(1, half, "incomplete") +
                                    incomplete("max_output_tokens")),
      stream("filter", created() + message_item(0) + incomplete("content_filter")),
      stream("an unknown word", created() + message_item(0) + incomplete("moonlight")),
      stream("response.created twice", created() + message_item(0) + created() + message_item(0) +
                                           call(1, quito) + completed()),
      stream("an error",
             created() + message_item(0) +
                 response("response.failed",
                          R"("status":"failed","error":{"code":"server_error","message":"full"})"),
             false),
  };
}

}  // namespace detail

inline std::vector<ProviderStream> all() {
  auto streams = detail::chat_streams();
  for (auto* const make : {detail::message_streams, detail::response_streams}) {
    for (auto& stream : make()) {
      streams.push_back(std::move(stream));
    }
  }
  return streams;
}

}  // namespace provider_streams
