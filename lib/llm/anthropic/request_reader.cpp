#include "llm/opened_carrier.hpp"
#include "llm/request_json.hpp"
#include "request.hpp"
#include "text/json_edit.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

class AnthropicRequestReader {
 public:
  static constexpr Protocol own = Protocol::anthropic_messages;

  explicit AnthropicRequestReader(std::string_view body) : in_(body) {}

  ReadRequest read() {
    return in_.read_body(own, request_,
                         [&](std::string_view key, value& v) { return member(key, v); });
  }

 private:
  bool member(std::string_view key, value& v) {
    if (key != "model" && key != "messages" && json::is_null(v)) return true;
    if (key == "model") return in_.read(v, "model", request_.model);
    if (key == "max_tokens") return in_.read(v, "max_tokens", request_.max_tokens);
    if (key == "stream") return in_.read(v, "stream", request_.stream);
    if (key == "system") return system(v);
    if (key == "messages") {
      return in_.array(v, "messages", [&](value& message) { return read_message(message); });
    }
    if (key == "tools") {
      return in_.array(v, "tools", [&](value& tool) { return read_tool(tool); });
    }
    if (key == "tool_choice") return tool_choice(v);
    if (key == "thinking") return thinking(v);
    if (key == "output_config") return output_config(v);
    if (key == "stop_sequences") return in_.read(v, "stop_sequences", request_.stop);
    if (key == "temperature") return in_.read(v, "temperature", request_.sampling.temperature);
    if (key == "top_p") return in_.read(v, "top_p", request_.sampling.top_p);
    if (key == "top_k") return in_.read(v, "top_k", request_.sampling.top_k);
    if (key == "metadata") {
      return in_.object(v, "metadata", [&](std::string_view k, value& m) {
        return k == "user_id" && !json::is_null(m) ? in_.read(m, "metadata.user_id", request_.user)
                                                   : true;
      });
    }
    return in_.keep(key, v, request_.extra);
  }

  bool system(value& v) {
    if (is_string(v)) {
      return in_.read(v, "system", request_.system.emplace_back().text);
    }
    return in_.array(v, "system", [&](value& block) {
      auto& part = request_.system.emplace_back();
      return in_.object(block, "system", [&](std::string_view key, value& m) {
        return in_.text_member(key, m, part);
      });
    });
  }

  bool read_message(value& v) {
    auto& message = request_.messages.emplace_back(Role::user);
    return in_.object(v, "messages", [&](std::string_view key, value& m) {
      if (key == "role") {
        std::string role;
        if (!in_.read(m, "messages.role", role)) return false;
        message.role = role == "assistant" ? Role::assistant
                       : role == "system"  ? Role::system
                                           : Role::user;
        return message.role != Role::user || role == "user" ||
               in_.fail("messages.role", "must be user, assistant or system");
      }
      if (key == "content") {
        if (is_string(m)) {
          std::string text;
          const bool read = in_.read(m, "messages.content", text);
          message.parts.emplace_back(TextPart(std::move(text)));
          return read;
        }
        return in_.array(m, "messages.content",
                         [&](value& block) { return read_block(block, message.parts); });
      }
      return in_.keep(key, m, message.extra);
    });
  }

  bool read_block(value& v, std::vector<Part>& parts) {
    return in_.typed(v, "messages.content",
                     [&](std::string_view type, Object& block, std::string_view raw) {
                       if (type == "text") return in_.read_text(block, false, parts);
                       if (type == "image") return read_image(block, raw, parts);
                       if (type == "tool_use") return read_call(block, parts);
                       if (type == "tool_result") return read_result(block, parts);
                       if (type == "thinking" || type == "redacted_thinking") {
                         return read_reasoning(block, raw, parts);
                       }
                       parts.emplace_back(OpaquePart(own, std::string(type), std::string(raw)));
                       return !type.empty() || in_.fail("messages.content.type", "is missing");
                     });
  }

  /// An image by file id is known to Anthropic alone.
  template <class Parts>
  bool read_image(Object& block, std::string_view raw, Parts& parts) {
    ImagePart part;
    const auto source = [&](std::string_view key, value& v) {
      if (key == "media_type") return in_.read(v, "source.media_type", part.media_type);
      if (key == "data") return in_.read(v, "source.data", part.base64);
      if (key == "url") return in_.read(v, "source.url", part.url);
      return true;
    };
    const bool read = in_.members(block, [&](std::string_view key, value& v) {
      return key == "source" ? in_.object(v, "source", source)
             : key == "type" ? true
                             : in_.keep(key, v, part.extra);
    });
    if (part.base64.empty() && part.url.empty()) {
      parts.emplace_back(OpaquePart(own, "image", std::string(raw)));
    } else {
      parts.emplace_back(std::move(part));
    }
    return read;
  }

  bool read_call(Object& block, std::vector<Part>& parts) {
    ToolCallPart part;
    const bool read = in_.members(block, [&](std::string_view key, value& v) {
      if (key == "id") return in_.read(v, "tool_use.id", part.id);
      if (key == "name") return in_.read(v, "tool_use.name", part.name);
      if (key == "input") return in_.read_object(v, "tool_use.input", part.arguments);
      return key == "type" || in_.keep(key, v, part.extra);
    });
    parts.emplace_back(std::move(part));
    return read;
  }

  bool read_result(Object& block, std::vector<Part>& parts) {
    ToolResultPart part;
    const auto content = [&](value& v) {
      return in_.typed(
          v, "tool_result.content",
          [&](std::string_view type, Object& inner, std::string_view raw) {
            if (type == "text") return in_.read_text(inner, false, part.content);
            if (type == "image") return read_image(inner, raw, part.content);
            part.content.emplace_back(OpaquePart(own, std::string(type), std::string(raw)));
            return true;
          });
    };
    const bool read = in_.members(block, [&](std::string_view key, value& v) {
      if (key == "tool_use_id") return in_.read(v, "tool_result.tool_use_id", part.call_id);
      if (key == "is_error") {
        return json::is_null(v) || in_.read(v, "tool_result.is_error", part.is_error);
      }
      if (key == "content") {
        if (v.raw_json_token().starts_with('[')) {
          return in_.array(v, "tool_result.content", content);
        }
        std::string text;
        const bool whole = json::is_null(v) || in_.read(v, "tool_result.content", text);
        part.content.emplace_back(TextPart(std::move(text)));
        return whole;
      }
      return key == "type" || in_.keep(key, v, part.extra);
    });
    parts.emplace_back(std::move(part));
    return read;
  }

  bool read_reasoning(Object& block, std::string_view raw, std::vector<Part>& parts) {
    ReasoningPart part{Origin(own)};
    part.json = raw;
    const bool read = in_.members(block, [&](std::string_view key, value& v) {
      if (key == "thinking") return in_.read(v, "thinking", part.text);
      if (key == "signature" || key == "data") return in_.read(v, "thinking.signature", part.seal);
      return true;
    });
    if (is_carrier(part.seal)) {
      open_carrier(part);
    }
    parts.emplace_back(std::move(part));
    return read;
  }

  /// A tool that Anthropic runs has a type of its own.
  bool read_tool(value& v) {
    auto& tool = request_.tools.emplace_back();
    return in_.typed(v, "tools", [&](std::string_view type, Object& members, std::string_view raw) {
      if (!type.empty() && type != "custom") {
        tool.provider_tool = raw;
        return in_.read_provider_tool(members, type, tool);
      }
      return in_.members(members, [&](std::string_view key, value& m) {
        if (key == "name") return in_.read(m, "tools.name", tool.name);
        if (key == "input_schema") return in_.read_object(m, "tools.input_schema", tool.schema);
        if (json::is_null(m)) return true;
        if (key == "description") return in_.read(m, "tools.description", tool.description);
        if (key == "strict") return in_.read(m, "tools.strict", tool.strict);
        return key == "type" || in_.keep(key, m, tool.extra);
      });
    });
  }

  bool tool_choice(value& v) {
    using Mode = ToolChoice::Mode;
    std::optional<bool> alone;
    std::string type;
    const bool read = in_.object(v, "tool_choice", [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "type") return in_.read(m, "tool_choice.type", type);
      if (key == "name") return in_.read(m, "tool_choice.name", request_.tool_choice.name);
      if (key == "disable_parallel_tool_use") {
        return in_.read(m, "tool_choice.disable_parallel_tool_use", alone);
      }
      return true;
    });
    if (alone) {
      request_.parallel_tool_calls = !*alone;
    }
    auto& mode = request_.tool_choice.mode;
    mode = type == "auto"   ? Mode::automatic
           : type == "any"  ? Mode::any
           : type == "tool" ? Mode::named
           : type == "none" ? Mode::none
                            : Mode::unset;
    return read &&
           (mode != Mode::unset || in_.fail("tool_choice.type", "must be auto, any, tool or none"));
  }

  bool thinking(value& v) {
    using Mode = Thinking::Mode;
    auto& thinking = request_.thinking;
    std::string type;
    const bool read = in_.object(v, "thinking", [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "type") return in_.read(m, "thinking.type", type);
      if (key == "budget_tokens") {
        return in_.read(m, "thinking.budget_tokens", thinking.budget_tokens);
      }
      if (key == "display") return in_.read(m, "thinking.display", thinking.display);
      return true;
    });
    thinking.mode = type == "adaptive"   ? Mode::adaptive
                    : type == "enabled"  ? Mode::budget
                    : type == "disabled" ? Mode::off
                                         : Mode::unset;
    return read && (thinking.mode != Mode::unset ||
                    in_.fail("thinking.type", "must be adaptive, enabled or disabled"));
  }

  bool output_config(value& v) {
    return in_.object(v, "output_config", [&](std::string_view key, value& m) {
      if (json::is_null(m)) return true;
      if (key == "effort") return in_.read(m, "output_config.effort", request_.thinking.effort);
      if (key == "format") {
        auto& output = request_.output.emplace();
        return in_.object(m, "output_config.format", [&](std::string_view k, value& f) {
          return k != "schema" || json::is_null(f) ||
                 in_.read_object(f, "output_config.format.schema", output.schema);
        });
      }
      return true;
    });
  }

  RequestReader in_;
  Request request_;
};

}  // namespace

ReadRequest read_request(std::string_view body) { return AnthropicRequestReader(body).read(); }

}  // namespace understudy::llm::detail::anthropic
