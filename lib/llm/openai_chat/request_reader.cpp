#include <iterator>

#include "llm/opened_carrier.hpp"
#include "llm/request_json.hpp"
#include "request.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

class ChatRequestReader {
 public:
  static constexpr Protocol own = Protocol::openai_chat;

  explicit ChatRequestReader(std::string_view body) : in_(body) {}

  ReadRequest read() {
    request_.stream_usage = false;  // the API's default
    return in_.read_body(own, request_,
                         [&](std::string_view key, value& v) { return member(key, v); });
  }

 private:
  bool member(std::string_view key, value& v) {
    if (key == "messages") {
      return in_.array(v, "messages", [&](value& message) { return read_message(message); });
    }
    if (json::is_null(v)) return true;
    if (key == "model") return in_.read(v, "model", request_.model);
    if (key == "stream") return in_.read(v, "stream", request_.stream);
    if (key == "stream_options") {
      return in_.object(v, "stream_options", [&](std::string_view k, value& option) {
        return k != "include_usage" || json::is_null(option) ||
               in_.read(option, "stream_options.include_usage", request_.stream_usage);
      });
    }
    if (key == "tools") {
      return in_.array(v, "tools", [&](value& tool) { return read_tool(tool); });
    }
    if (key == "tool_choice") return tool_choice(v);
    if (key == "parallel_tool_calls") {
      return in_.read(v, "parallel_tool_calls", request_.parallel_tool_calls);
    }
    if (key == "max_tokens") return output_limit(v, "max_tokens", OutputLimit::max_tokens);
    if (key == "max_completion_tokens") {
      return output_limit(v, "max_completion_tokens", OutputLimit::max_completion_tokens);
    }
    if (key == "reasoning_effort") return in_.read(v, "reasoning_effort", request_.thinking.effort);
    if (key == "response_format") return response_format(v);
    if (key == "stop") return in_.read(v, "stop", request_.stop);
    if (key == "temperature") return in_.read(v, "temperature", request_.sampling.temperature);
    if (key == "top_p") return in_.read(v, "top_p", request_.sampling.top_p);
    if (key == "seed") return in_.read(v, "seed", request_.sampling.seed);
    if (key == "user" || key == "safety_identifier") return in_.read(v, "user", request_.user);
    return in_.keep(key, v, request_.extra);
  }

  bool output_limit(value& v, std::string_view name, OutputLimit limit) {
    request_.output_limit = limit;
    return in_.read(v, name, request_.max_tokens);
  }

  bool read_message(value& v) {
    Message message(Role::user);
    std::string role;
    std::string call_id;
    ReasoningPart reasoning{Origin(own)};
    std::vector<Part> calls;
    const bool read = in_.object(v, "messages", [&](std::string_view key, value& m) {
      if (key == "role") return in_.read(m, "messages.role", role);
      if (key == "content") return read_content(m, message.parts);
      if (json::is_null(m)) return true;
      if (key == "tool_call_id") return in_.read(m, "messages.tool_call_id", call_id);
      if (key == "tool_calls") {
        return in_.array(m, "messages.tool_calls",
                         [&](value& call) { return read_call(call, calls); });
      }
      if (key == "refusal") {
        TextPart refusal;
        refusal.refusal = true;
        const bool said = in_.read(m, "messages.refusal", refusal.text);
        message.parts.emplace_back(std::move(refusal));
        return said;
      }
      if (key == "reasoning_content") {
        return in_.read(m, "messages.reasoning_content", reasoning.text);
      }
      if (key == "reasoning_details") {
        reasoning.json = json::raw(m);
        return !reasoning.json.empty();
      }
      return in_.keep(key, m, message.extra);
    });
    place_reasoning(std::move(reasoning), message);
    if (role == "assistant") {
      message.parts.insert(message.parts.end(), std::make_move_iterator(calls.begin()),
                           std::make_move_iterator(calls.end()));
    }
    return read && place(std::move(message), role, std::move(call_id));
  }

  /// At the beginning of the message. What carriers hold is a part of its own each.
  static void place_reasoning(ReasoningPart reasoning, Message& message) {
    std::vector<Part> parts;
    if (reasoning.json.find(R"("us1.)") != std::string::npos) {
      constexpr std::size_t most = 100;
      std::string kept;
      for (const auto detail : text::json_elements(reasoning.json, most)) {
        ReasoningPart carried{Origin(own)};
        for (const char* const member : {"data", "signature"}) {
          auto seal = json::unescaped_text(text::json_at(detail, {member}));
          if (is_carrier(seal)) {
            carried.seal = std::move(seal);
          }
        }
        if (carried.seal.empty()) {
          kept.append(kept.empty() ? "[" : ",").append(detail);
          continue;
        }
        carried.text = reasoning.text;
        open_carrier(carried);
        parts.emplace_back(std::move(carried));
      }
      reasoning.json = kept.empty() ? kept : kept + "]";
      reasoning.text = parts.empty() ? std::move(reasoning.text) : std::string();
    }
    if (!reasoning.text.empty() || !reasoning.json.empty()) {
      parts.emplace_back(std::move(reasoning));
    }
    message.parts.insert(message.parts.begin(), std::make_move_iterator(parts.begin()),
                         std::make_move_iterator(parts.end()));
  }

  /// By role: a tool's result goes into a user message, with those beside it.
  bool place(Message message, std::string_view role, std::string call_id) {
    const bool of_tool = role == "tool" || role == "function";
    const auto known = of_tool ? Role::user : openai_role(role);
    if (!known) {
      return in_.fail("messages.role", "must be system, developer, user, assistant or tool");
    }
    message.role = *known;
    if (message.role != Role::assistant) {
      std::erase_if(message.parts,
                    [](const Part& part) { return std::holds_alternative<ReasoningPart>(part); });
    }
    if (!of_tool) {
      add_message(request_, std::move(message));
    } else {
      if (!after_result_) {
        request_.messages.emplace_back(Role::user);
      }
      request_.messages.back().parts.emplace_back(
          result_of(std::move(message), std::move(call_id)));
    }
    after_result_ = of_tool;
    return true;
  }

  static ToolResultPart result_of(Message message, std::string call_id) {
    ToolResultPart result;
    result.call_id = std::move(call_id);
    result.extra = std::move(message.extra);
    for (auto& part : message.parts) {
      add_content(result, std::move(part));
    }
    return result;
  }

  bool read_content(value& v, std::vector<Part>& parts) {
    if (json::is_null(v)) return true;
    if (is_string(v)) {
      TextPart part;
      const bool read = in_.read(v, "messages.content", part.text);
      parts.emplace_back(std::move(part));
      return read;
    }
    return in_.array(v, "messages.content", [&](value& part) { return read_part(part, parts); });
  }

  bool read_part(value& v, std::vector<Part>& parts) {
    return in_.typed(v, "messages.content",
                     [&](std::string_view type, Object& members, std::string_view raw) {
                       if (type == "text" || type == "refusal") {
                         return in_.read_text(members, type == "refusal", parts);
                       }
                       if (type == "image_url") return read_image(members, parts);
                       parts.emplace_back(OpaquePart(own, std::string(type), std::string(raw)));
                       return !type.empty() || in_.fail("messages.content.type", "is missing");
                     });
  }

  bool read_image(Object& members, std::vector<Part>& parts) {
    ImagePart part;
    std::string url;
    const bool read = in_.members(members, [&](std::string_view key, value& m) {
      if (key == "image_url") {
        if (is_string(m)) return in_.read(m, "image_url", url);  // as Mistral writes it
        return in_.object(m, "image_url", [&](std::string_view k, value& f) {
          if (k == "url") return in_.read(f, "image_url.url", url);
          return k != "detail" || json::is_null(f) || in_.read(f, "image_url.detail", part.detail);
        });
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    set_url(part, std::move(url));
    parts.emplace_back(std::move(part));
    return read;
  }

  bool read_call(value& v, std::vector<Part>& calls) {
    return in_.typed(
        v, "messages.tool_calls", [&](std::string_view type, Object& call, std::string_view) {
          return type == "custom" ? read_custom_call(call, calls) : read_function_call(call, calls);
        });
  }

  bool read_custom_call(Object& call, std::vector<Part>& calls) {
    ToolCallPart part;
    part.form = ToolForm::custom;
    std::string input;
    const bool read = in_.members(call, [&](std::string_view key, value& m) {
      if (key == "id") return in_.read(m, "messages.tool_calls.id", part.id);
      if (key == "custom") {
        return in_.object(m, "messages.tool_calls.custom", [&](std::string_view k, value& f) {
          if (k == "name") return in_.read(f, "messages.tool_calls.custom.name", part.name);
          return k != "input" || in_.read(f, "messages.tool_calls.custom.input", input);
        });
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    part.arguments = custom_arguments(input);
    calls.emplace_back(std::move(part));
    return read;
  }

  bool read_function_call(Object& call, std::vector<Part>& calls) {
    ToolCallPart part;
    const bool read = in_.members(call, [&](std::string_view key, value& m) {
      if (key == "id") return in_.read(m, "messages.tool_calls.id", part.id);
      if (key == "function") {
        return in_.object(m, "messages.tool_calls.function", [&](std::string_view k, value& f) {
          if (k == "name") return in_.read(f, "messages.tool_calls.function.name", part.name);
          return k != "arguments" ||
                 in_.read(f, "messages.tool_calls.function.arguments", part.arguments);
        });
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    calls.emplace_back(std::move(part));
    return read;
  }

  bool read_tool(value& v) {
    auto& tool = request_.tools.emplace_back();
    return in_.typed(v, "tools", [&](std::string_view type, Object& members, std::string_view raw) {
      if (type != "function") {
        tool.provider_tool = raw;
      }
      if (type == "custom") {
        tool.form = ToolForm::custom;
      } else if (type != "function") {
        return in_.read_provider_tool(members, type, tool);
      }
      return in_.members(members, [&](std::string_view key, value& m) {
        if (key == type) {
          return in_.object(m, "tools.function", [&](std::string_view k, value& f) {
            return read_function(k, f, tool);
          });
        }
        return key == "type" || in_.keep(key, m, tool.extra);
      });
    });
  }

  bool read_function(std::string_view key, value& v, Tool& tool) {
    if (key == "name") return in_.read(v, "tools.function.name", tool.name);
    if (json::is_null(v)) return true;
    if (key == "description") return in_.read(v, "tools.function.description", tool.description);
    if (key == "parameters") return in_.read_object(v, "tools.function.parameters", tool.schema);
    if (key == "strict") return in_.read(v, "tools.function.strict", tool.strict);
    return key != "format" || in_.read_tool_format(v, true, tool);
  }

  bool tool_choice(value& v) {
    return in_.openai_tool_choice(v, request_, [&](std::string_view key, value& m) {
      return (key != "function" && key != "custom") ||
             in_.object(m, "tool_choice.function", [&](std::string_view k, value& f) {
               return k != "name" ||
                      in_.read(f, "tool_choice.function.name", request_.tool_choice.name);
             });
    });
  }

  bool response_format(value& v) {
    OutputFormat output;
    std::string type;
    const bool read = in_.object(v, "response_format", [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "type") return in_.read(m, "response_format.type", type);
      if (key == "json_schema") {
        return in_.object(m, "response_format.json_schema", [&](std::string_view k, value& f) {
          if (json::is_null(f)) return true;
          if (k == "name") return in_.read(f, "response_format.json_schema.name", output.name);
          if (k == "strict")
            return in_.read(f, "response_format.json_schema.strict", output.strict);
          return k != "schema" ||
                 in_.read_object(f, "response_format.json_schema.schema", output.schema);
        });
      }
      return true;
    });
    if (type != "text") {
      request_.output = std::move(output);
    }
    return read;
  }

  RequestReader in_;
  Request request_;
  bool after_result_ = false;  // the last message is one of tool results
};

}  // namespace

ReadRequest read_request(std::string_view body) { return ChatRequestReader(body).read(); }

}  // namespace understudy::llm::detail::openai_chat
