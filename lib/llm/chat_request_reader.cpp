#include "chat_request.hpp"
#include "request_json.hpp"

namespace understudy::detail {
namespace {

constexpr Protocol own = Protocol::openai_chat;

using Object = json::ondemand::object;

class Reader {
 public:
  explicit Reader(std::string_view body) : in_(body) { request_.body = body; }

  ReadRequest read() {
    request_.origin = own;
    request_.stream = false;  // the API's defaults
    request_.stream_usage = false;
    const auto object = in_.parser().object();
    if (!object) {
      return RequestFault(std::string("the body is not a JSON object: ") + in_.parser().why());
    }
    if (!json::members(*object, [&](raw_json_string key, value& v) { return member(key, v); })) {
      return in_.fault().value_or(RequestFault("the body is malformed JSON"));
    }
    if (request_.model.empty()) {
      return RequestFault("model: is missing", "model");
    }
    return std::move(request_);
  }

 private:
  bool member(raw_json_string key, value& v) {
    if (key == "messages") {
      return in_.array(v, "messages", [&](value& message) { return read_message(message); });
    }
    if (json::is_null(v)) return true;
    if (key == "model") return in_.read(v, "model", request_.model);
    if (key == "stream") return in_.read(v, "stream", request_.stream);
    if (key == "stream_options") {
      return in_.object(v, "stream_options", [&](raw_json_string k, value& option) {
        return k != "include_usage" ||
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
    if (key == "stop") {
      if (v.raw_json_token().starts_with('"')) {
        return in_.read(v, "stop", request_.stop.emplace_back());
      }
      return in_.array(v, "stop", [&](value& stop) {
        return in_.read(stop, "stop", request_.stop.emplace_back());
      });
    }
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
    const bool read = in_.object(v, "messages", [&](raw_json_string key, value& m) {
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
    if (!reasoning.text.empty() || !reasoning.json.empty()) {
      message.parts.emplace(message.parts.begin(), std::move(reasoning));
    }
    for (auto& call : calls) {
      message.parts.push_back(std::move(call));
    }
    return read && place(std::move(message), role, std::move(call_id));
  }

  /// By role: a tool's result goes into a user message, with those beside it.
  bool place(Message message, std::string_view role, std::string call_id) {
    if (role == "tool" || role == "function") {
      ToolResultPart result;
      result.call_id = std::move(call_id);
      result.extra = std::move(message.extra);
      for (auto& part : message.parts) {
        if (auto* text = std::get_if<TextPart>(&part)) {
          result.content.emplace_back(std::move(*text));
        } else if (auto* opaque = std::get_if<OpaquePart>(&part)) {
          result.content.emplace_back(std::move(*opaque));
        }
      }
      if (!after_result_) {
        request_.messages.emplace_back(Role::user);
      }
      after_result_ = true;
      request_.messages.back().parts.emplace_back(std::move(result));
      return true;
    }
    after_result_ = false;
    if (role == "system" || role == "developer") {
      message.role = Role::system;
      if (request_.messages.empty()) {
        for (auto& part : message.parts) {
          if (auto* text = std::get_if<TextPart>(&part)) {
            request_.system.push_back(std::move(*text));
          }
        }
        return true;
      }
    } else if (role == "assistant") {
      message.role = Role::assistant;
    } else if (role != "user") {
      return in_.fail("messages.role", "must be system, developer, user, assistant or tool");
    }
    request_.messages.push_back(std::move(message));
    return true;
  }

  bool read_content(value& v, std::vector<Part>& parts) {
    if (json::is_null(v)) return true;
    if (v.raw_json_token().starts_with('"')) {
      TextPart part;
      const bool read = in_.read(v, "messages.content", part.text);
      parts.emplace_back(std::move(part));
      return read;
    }
    return in_.array(v, "messages.content", [&](value& part) { return read_part(part, parts); });
  }

  bool read_part(value& v, std::vector<Part>& parts) {
    return in_.typed(
        v, "messages.content", [&](std::string_view type, Object& members, std::string_view raw) {
          if (type == "text" || type == "refusal") {
            TextPart part;
            part.refusal = type == "refusal";
            const bool read = json::members(members, [&](raw_json_string key, value& m) {
              return key == "text" || key == "refusal"
                         ? in_.read(m, "messages.content.text", part.text)
                     : key == "type" ? true
                                     : in_.keep(key, m, part.extra);
            });
            parts.emplace_back(std::move(part));
            return read;
          }
          if (type == "image_url") return read_image(members, parts);
          parts.emplace_back(OpaquePart(own, std::string(type), std::string(raw)));
          return !type.empty() || in_.fail("messages.content.type", "is missing");
        });
  }

  bool read_image(Object& members, std::vector<Part>& parts) {
    ImagePart part;
    const bool read = json::members(members, [&](raw_json_string key, value& m) {
      if (key == "image_url") {
        return in_.object(m, "image_url", [&](raw_json_string k, value& f) {
          if (k == "url") return in_.read(f, "image_url.url", part.url);
          return k != "detail" || json::is_null(f) || in_.read(f, "image_url.detail", part.detail);
        });
      }
      return key == "type" || in_.keep(key, m, part.extra);
    });
    const std::string_view url = part.url;
    const auto comma = url.find(";base64,");
    if (url.starts_with("data:") && comma != std::string_view::npos) {
      part.media_type = url.substr(5, comma - 5);
      part.base64 = url.substr(comma + 8);
      part.url.clear();
    }
    parts.emplace_back(std::move(part));
    return read;
  }

  bool read_call(value& v, std::vector<Part>& calls) {
    ToolCallPart part;
    const bool read = in_.object(v, "messages.tool_calls", [&](raw_json_string key, value& m) {
      if (key == "id") return in_.read(m, "messages.tool_calls.id", part.id);
      if (key == "function") {
        return in_.object(m, "messages.tool_calls.function", [&](raw_json_string k, value& f) {
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
        return true;
      }
      return json::members(members, [&](raw_json_string key, value& m) {
        if (key == "function") {
          return in_.object(m, "tools.function",
                            [&](raw_json_string k, value& f) { return read_function(k, f, tool); });
        }
        return key == "type" || in_.keep(key, m, tool.extra);
      });
    });
  }

  bool read_function(raw_json_string key, value& v, Tool& tool) {
    if (key == "name") return in_.read(v, "tools.function.name", tool.name);
    if (json::is_null(v)) return true;
    if (key == "description") return in_.read(v, "tools.function.description", tool.description);
    if (key == "parameters") return in_.read_object(v, "tools.function.parameters", tool.schema);
    if (key == "strict") return in_.read(v, "tools.function.strict", tool.strict);
    return true;
  }

  bool tool_choice(value& v) {
    using Mode = ToolChoice::Mode;
    auto& choice = request_.tool_choice;
    if (v.raw_json_token().starts_with('"')) {
      std::string mode;
      if (!in_.read(v, "tool_choice", mode)) return false;
      choice.mode = mode == "auto"       ? Mode::automatic
                    : mode == "required" ? Mode::any
                    : mode == "none"     ? Mode::none
                                         : Mode::unset;
      return choice.mode != Mode::unset ||
             in_.fail("tool_choice", "must be auto, required, none or a function");
    }
    choice.mode = Mode::named;
    return in_.object(v, "tool_choice", [&](raw_json_string key, value& m) {
      return key != "function" ||
             in_.object(m, "tool_choice.function", [&](raw_json_string k, value& f) {
               return k != "name" || in_.read(f, "tool_choice.function.name", choice.name);
             });
    });
  }

  bool response_format(value& v) {
    OutputFormat output;
    std::string type;
    const bool read = in_.object(v, "response_format", [&](raw_json_string key, value& m) {
      if (key == "type") return in_.read(m, "response_format.type", type);
      if (key == "json_schema") {
        return in_.object(m, "response_format.json_schema", [&](raw_json_string k, value& f) {
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

ReadRequest read_chat_request(std::string_view body) { return Reader(body).read(); }

}  // namespace understudy::detail
