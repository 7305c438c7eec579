/// An agent that keeps its conversation as SDKs of its protocol do: what an answer has said is sent back as it came.
///
/// Invariants
/// 1. It shares nothing with the library's codecs: answers are put together from the frames of the stream.
/// 2. Each turn is a question, a call of its only tool, the tool's result, and the answer to it.
#pragma once

#include <simdjson.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/protocol.hpp"

namespace scripted_agent {

using simdjson::dom::element;
using understudy::llm::Protocol;

inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4U];
      out += digits[static_cast<unsigned char>(c) & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string text_at(const element& json, std::string_view pointer) {
  std::string_view text;
  return json.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text)
                                                                 : std::string();
}

/// Calls `each(json)` with the data of every frame.
template <class Each>
void each_frame(std::string_view stream, Each each) {
  constexpr std::string_view mark = "data:";
  while (!stream.empty()) {
    const auto end = std::min(stream.find('\n'), stream.size());
    auto line = stream.substr(0, end);
    stream.remove_prefix(std::min(end + 1, stream.size()));
    if (line.starts_with(mark)) {
      simdjson::dom::parser parser;
      element json;
      if (parser.parse(simdjson::padded_string(line.substr(mark.size()))).get(json) ==
          simdjson::SUCCESS) {
        each(json);
      }
    }
  }
}

class Agent {
 public:
  Agent(Protocol protocol, std::string model) : protocol_(protocol), model_(std::move(model)) {}

  void ask(std::string_view question) {
    messages_.push_back(R"({"role":"user","content":)" + json_text(question) + "}");
  }

  /// The next request.
  std::string body(bool stream = true) const {
    const std::string streamed = stream ? "true" : "false";
    std::string list;
    for (const auto& message : messages_) {
      list.append(list.empty() ? "" : ",").append(message);
    }
    const std::string schema =
        R"({"type":"object","properties":{"path":{"type":"string"}},"required":["path"]})";
    switch (protocol_) {
      case Protocol::anthropic_messages:
        return R"({"model":)" + json_text(model_) + R"(,"max_tokens":4000,"stream":)" + streamed +
               thinking + R"(,"system":[{"type":"text","text":)" + json_text(system) +
               R"(}],"tools":[)" + R"({"name":"read_file","description":"Reads.","input_schema":)" +
               schema + R"(}],"messages":[)" + list + "]}";
      case Protocol::openai_responses:
        return R"({"model":)" + json_text(model_) + R"(,"stream":)" + streamed +
               R"(,"store":false,"include":["reasoning.encrypted_content"],"reasoning":{"effort":"medium"})" +
               R"(,"instructions":"You read files.","tools":[{"type":"function","name":"read_file",)" +
               R"("description":"Reads.","strict":false,"parameters":)" + schema +
               R"(}],"input":[)" + list + "]}";
      case Protocol::openai_chat:
        return R"({"model":)" + json_text(model_) + R"(,"stream":)" + streamed +
               R"(,"reasoning_effort":"medium","tools":[{"type":"function","function":)" +
               R"({"name":"read_file","description":"Reads.","parameters":)" + schema +
               R"(}}],"messages":[{"role":"system","content":"You read files."},)" + list + "]}";
    }
    return {};
  }

  /// Takes an answer into the conversation, and answers its calls. Returns whether it had one.
  bool take(std::string_view stream) {
    calls_.clear();
    switch (protocol_) {
      case Protocol::anthropic_messages: take_messages(stream); break;
      case Protocol::openai_responses: take_responses(stream); break;
      case Protocol::openai_chat: take_chat(stream); break;
    }
    return give_results();
  }

  /// The same of an answer that is one JSON object.
  bool take_whole(std::string_view body) {
    calls_.clear();
    simdjson::dom::parser parser;
    element json;
    if (parser.parse(simdjson::padded_string(body)).get(json) != simdjson::SUCCESS) {
      return false;
    }
    simdjson::dom::array list;
    element message;
    if (protocol_ == Protocol::openai_responses) {
      take_output(json, "/output");
    } else if (protocol_ == Protocol::anthropic_messages &&
               json.at_pointer("/content").get(list) == simdjson::SUCCESS) {
      messages_.push_back(R"({"role":"assistant","content":)" + simdjson::minify(list) + "}");
      for (const element block : list) {
        note_call(block, "/type", "tool_use", "/id");
      }
    } else if (json.at_pointer("/choices/0/message").get(message) == simdjson::SUCCESS) {
      messages_.push_back(simdjson::minify(message));
      if (message.at_pointer("/tool_calls").get(list) == simdjson::SUCCESS) {
        for (const element call : list) {
          note_call(call, "/type", "function", "/id");
        }
      }
    }
    return give_results();
  }

  /// Replaces the conversation by a summary, as agents do when it becomes too long.
  void compact() {
    messages_.clear();
    ask("Summary of the conversation so far: files were read. Go on.");
  }

  std::size_t messages() const { return messages_.size(); }

  std::string system = "You read files.";                       ///< of Messages
  std::string thinking = R"(,"thinking":{"type":"adaptive"})";  ///< of Messages

 private:
  struct Block {
    std::string type;
    std::string text;  // or the arguments
    std::string seal;
    std::string id;
    std::string name;
  };

  bool give_results() {
    for (const auto& id : calls_) {
      give_result(id);
    }
    return !calls_.empty();
  }

  void note_call(const element& one, std::string_view kind, std::string_view of_call,
                 std::string_view id) {
    if (text_at(one, kind) == of_call) {
      calls_.push_back(text_at(one, id));
    }
  }

  void take_output(const element& json, std::string_view at) {
    simdjson::dom::array output;
    if (json.at_pointer(at).get(output) == simdjson::SUCCESS) {
      for (const element item : output) {
        messages_.push_back(simdjson::minify(item));
        note_call(item, "/type", "function_call", "/call_id");
      }
    }
  }

  void give_result(const std::string& id) {
    switch (protocol_) {
      case Protocol::anthropic_messages:
        messages_.push_back(R"({"role":"user","content":[{"type":"tool_result","tool_use_id":)" +
                            json_text(id) + R"(,"content":"full"}]})");
        break;
      case Protocol::openai_responses:
        messages_.push_back(R"({"type":"function_call_output","call_id":)" + json_text(id) +
                            R"(,"output":"full"})");
        break;
      case Protocol::openai_chat:
        messages_.push_back(R"({"role":"tool","tool_call_id":)" + json_text(id) +
                            R"(,"content":"full"})");
        break;
    }
  }

  void take_messages(std::string_view stream) {
    std::map<std::int64_t, Block> blocks;
    each_frame(stream, [&](const element& json) {
      std::int64_t index = 0;
      if (json.at_pointer("/index").get(index) != simdjson::SUCCESS) {
        return;
      }
      auto& block = blocks[index];
      if (text_at(json, "/type") == "content_block_start") {
        block.type = text_at(json, "/content_block/type");
        block.id = text_at(json, "/content_block/id");
        block.name = text_at(json, "/content_block/name");
        block.text =
            text_at(json, "/content_block/text") + text_at(json, "/content_block/thinking");
        block.seal =
            text_at(json, "/content_block/signature") + text_at(json, "/content_block/data");
        return;
      }
      block.text += text_at(json, "/delta/text") + text_at(json, "/delta/thinking") +
                    text_at(json, "/delta/partial_json");
      block.seal += text_at(json, "/delta/signature");
    });
    std::string content;
    for (const auto& [index, block] : blocks) {
      content += content.empty() ? "" : ",";
      if (block.type == "thinking") {
        content += R"({"type":"thinking","thinking":)" + json_text(block.text) +
                   R"(,"signature":)" + json_text(block.seal) + "}";
      } else if (block.type == "redacted_thinking") {
        content += R"({"type":"redacted_thinking","data":)" + json_text(block.seal) + "}";
      } else if (block.type == "tool_use") {
        content += R"({"type":"tool_use","id":)" + json_text(block.id) + R"(,"name":)" +
                   json_text(block.name) + R"(,"input":)" +
                   (block.text.empty() ? "{}" : block.text) + "}";
        calls_.push_back(block.id);
      } else {
        content += R"({"type":"text","text":)" + json_text(block.text) + "}";
      }
    }
    messages_.push_back(R"({"role":"assistant","content":[)" + content + "]}");
  }

  void take_responses(std::string_view stream) {
    each_frame(stream, [&](const element& json) {
      const auto type = text_at(json, "/type");
      if (type != "response.completed" && type != "response.incomplete") {
        return;
      }
      take_output(json, "/response/output");
    });
  }

  void take_chat(std::string_view stream) {
    Block message;
    std::string details;
    std::map<std::int64_t, Block> calls;
    each_frame(stream, [&](const element& json) {
      element delta;
      if (json.at_pointer("/choices/0/delta").get(delta) != simdjson::SUCCESS) {
        return;
      }
      message.text += text_at(delta, "/content");
      message.seal += text_at(delta, "/reasoning_content");
      simdjson::dom::array list;
      if (delta.at_pointer("/reasoning_details").get(list) == simdjson::SUCCESS) {
        for (const element detail : list) {
          details.append(details.empty() ? "" : ",").append(simdjson::minify(detail));
        }
      }
      if (delta.at_pointer("/tool_calls").get(list) == simdjson::SUCCESS) {
        for (const element call : list) {
          std::int64_t index = 0;
          if (call.at_pointer("/index").get(index) != simdjson::SUCCESS) {
            index = 0;
          }
          auto& into = calls[index];
          into.id += text_at(call, "/id");
          into.name += text_at(call, "/function/name");
          into.text += text_at(call, "/function/arguments");
          element extra;
          if (call.at_pointer("/extra_content").get(extra) == simdjson::SUCCESS) {
            into.seal = simdjson::minify(extra);
          }
        }
      }
    });
    std::string out = R"({"role":"assistant","content":)" + json_text(message.text);
    if (!message.seal.empty()) {
      out += R"(,"reasoning_content":)" + json_text(message.seal);
    }
    if (!details.empty()) {
      out += R"(,"reasoning_details":[)" + details + "]";
    }
    std::string list;
    for (const auto& [index, call] : calls) {
      list += list.empty() ? "" : ",";
      list += R"({"id":)" + json_text(call.id) + R"(,"type":"function","function":{"name":)" +
              json_text(call.name) + R"(,"arguments":)" + json_text(call.text) + "}" +
              (call.seal.empty() ? "" : R"(,"extra_content":)" + call.seal) + "}";
      calls_.push_back(call.id);
    }
    if (!list.empty()) {
      out += R"(,"tool_calls":[)" + list + "]";
    }
    messages_.push_back(out + "}");
  }

  Protocol protocol_;
  std::string model_;
  std::vector<std::string> messages_;
  std::vector<std::string> calls_;
};

}  // namespace scripted_agent
