/// An answer as a client puts it together from a body, streamed or whole: text, reasoning, calls, usage and the finish.
///
/// Invariants
/// 1. It shares nothing with our decoders and encoders. Whether the form is valid is not its business
///    (../llm/strict_client.hpp); what it cannot find stays empty.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/protocol.hpp"

namespace seen_answer {

using simdjson::dom::element;
using understudy::llm::Protocol;

struct SeenCall {
  std::string name;
  std::string name_space;
  std::string input;  ///< arguments as JSON text, or the text of a custom call
  bool custom = false;
};

struct SeenAnswer {
  std::string text;
  std::string reasoning;
  std::map<std::int64_t, SeenCall> calls;  ///< by their place
  std::string finish;                      ///< the last one, in the protocol's word
  std::int64_t input = -1;                 ///< tokens, those of the cache included; -1: not said
  std::int64_t output = -1;
  std::size_t choices = 0;  ///< of Chat
};

namespace detail {

inline std::string text_at(const element& json, std::string_view pointer) {
  std::string_view text;
  return json.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text)
                                                                 : std::string();
}
inline std::int64_t number_at(const element& json, std::string_view pointer, std::int64_t other) {
  std::int64_t number = 0;
  return json.at_pointer(pointer).get(number) == simdjson::SUCCESS ? number : other;
}
template <class Each>
void each_at(const element& json, std::string_view pointer, Each each) {
  simdjson::dom::array list;
  if (json.at_pointer(pointer).get(list) == simdjson::SUCCESS) {
    std::int64_t index = 0;
    for (const element one : list) {
      each(one, index++);
    }
  }
}

inline void usage(SeenAnswer& seen, const element& json, std::string_view at,
                  std::string_view input, std::string_view output) {
  const auto path = std::string(at);
  const auto cached = number_at(json, path + "/cache_read_input_tokens", 0) +
                      number_at(json, path + "/cache_creation_input_tokens", 0);
  const auto given = number_at(json, path + std::string(input), -1);
  seen.input = given < 0 ? seen.input : given + cached;
  seen.output = number_at(json, path + std::string(output), seen.output);
}

// --- Messages -------------------------------------------------------------------------------------

inline void block(SeenAnswer& seen, const element& json, const std::string& at,
                  std::int64_t index) {
  seen.text += text_at(json, at + "/text");
  seen.reasoning += text_at(json, at + "/thinking");
  if (text_at(json, at + "/type") == "tool_use") {
    seen.calls[index].name = text_at(json, at + "/name");
    element input;
    if (json.at_pointer(at + "/input").get(input) == simdjson::SUCCESS) {
      seen.calls[index].input = simdjson::minify(input);
    }
  }
}

inline void messages(SeenAnswer& seen, const element& json) {
  const auto type = text_at(json, "/type");
  const auto index = number_at(json, "/index", 0);
  if (type == "message") {
    each_at(json, "/content", [&](const element& one, std::int64_t i) { block(seen, one, "", i); });
    seen.finish = text_at(json, "/stop_reason");
    usage(seen, json, "/usage", "/input_tokens", "/output_tokens");
  } else if (type == "message_start") {
    usage(seen, json, "/message/usage", "/input_tokens", "/output_tokens");
  } else if (type == "content_block_start") {
    block(seen, json, "/content_block", index);
    if (seen.calls.contains(index)) {
      seen.calls[index].input.clear();
    }
  } else if (type == "content_block_delta") {
    seen.text += text_at(json, "/delta/text");
    seen.reasoning += text_at(json, "/delta/thinking");
    if (seen.calls.contains(index)) {
      seen.calls[index].input += text_at(json, "/delta/partial_json");
    }
  } else if (type == "message_delta") {
    seen.finish = text_at(json, "/delta/stop_reason");
    usage(seen, json, "/usage", "/input_tokens", "/output_tokens");
  }
}

// --- Chat -----------------------------------------------------------------------------------------

inline void chat(SeenAnswer& seen, const element& json) {
  usage(seen, json, "/usage", "/prompt_tokens", "/completion_tokens");
  each_at(json, "/choices", [&](const element& choice, std::int64_t) {
    const auto number = number_at(choice, "/index", 0);
    seen.choices = std::max(seen.choices, static_cast<std::size_t>(number) + 1);
    if (number != 0) {
      return;
    }
    for (const std::string at : {"/delta", "/message"}) {
      seen.text += text_at(choice, at + "/content");
      each_at(choice, at + "/content", [&](const element& part, std::int64_t) {  // Mistral's
        seen.text += text_at(part, "/text");
        seen.reasoning += text_at(part, "/thinking/0/text");
      });
      const auto thought = text_at(choice, at + "/reasoning_content");
      seen.reasoning += thought.empty() ? text_at(choice, at + "/reasoning") : thought;
      each_at(choice, at + "/tool_calls", [&](const element& one, std::int64_t i) {
        auto& call = seen.calls[number_at(one, "/index", i)];
        call.name += text_at(one, "/function/name") + text_at(one, "/custom/name");
        call.input += text_at(one, "/function/arguments") + text_at(one, "/custom/input");
        call.custom = call.custom || !text_at(one, "/custom/name").empty();
      });
    }
    const auto word = text_at(choice, "/finish_reason");
    seen.finish = word.empty() ? seen.finish : word;
  });
}

// --- Responses ------------------------------------------------------------------------------------

/// The response that the last event has says everything once more: only that counts.
inline void responses(SeenAnswer& seen, const element& json) {
  const auto type = text_at(json, "/type");
  const std::string at = type.empty() ? "" : "/response";
  if (!type.empty() && type != "response.completed" && type != "response.incomplete") {
    return;
  }
  seen.finish = text_at(json, at + "/status");
  usage(seen, json, at + "/usage", "/input_tokens", "/output_tokens");
  each_at(json, at + "/output", [&](const element& item, std::int64_t index) {
    const auto of = text_at(item, "/type");
    each_at(item, "/content", [&](const element& part, std::int64_t) {
      (of == "reasoning" ? seen.reasoning : seen.text) += text_at(part, "/text");
    });
    each_at(item, "/summary",
            [&](const element& part, std::int64_t) { seen.reasoning += text_at(part, "/text"); });
    if (of == "function_call" || of == "custom_tool_call") {
      auto& call = seen.calls[index];
      call.name = text_at(item, "/name");
      call.name_space = text_at(item, "/namespace");
      call.custom = of == "custom_tool_call";
      call.input = text_at(item, call.custom ? "/input" : "/arguments");
    }
  });
}

}  // namespace detail

/// What a body of that protocol says. `streamed`: it is a stream of events.
inline SeenAnswer seen_in(Protocol protocol, std::string_view body, bool streamed) {
  SeenAnswer seen;
  simdjson::dom::parser parser;
  const auto read = [&](std::string_view text) {
    element json;
    if (parser.parse(simdjson::padded_string(text)).get(json) != simdjson::SUCCESS) {
      return;
    }
    switch (protocol) {
      case Protocol::anthropic_messages: return detail::messages(seen, json);
      case Protocol::openai_chat: return detail::chat(seen, json);
      case Protocol::openai_responses: return detail::responses(seen, json);
    }
  };
  if (!streamed) {
    read(body);
    return seen;
  }
  constexpr std::string_view field = "data: ";
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (line.starts_with(field)) {
      read(line.substr(field.size()));
    }
  }
  return seen;
}

}  // namespace seen_answer
