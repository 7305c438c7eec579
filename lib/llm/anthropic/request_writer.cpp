#include <algorithm>

#include "llm/request_json.hpp"
#include "request.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

/// The API demands a limit. What its older models still served can answer at most.
constexpr std::uint64_t default_max_tokens = 8192;

class AnthropicRequestWriter : RequestWriter {
 public:
  static constexpr Protocol own = Protocol::anthropic_messages;

  AnthropicRequestWriter(const Request& asked, std::string& out) : RequestWriter(asked, own, out) {}

  void write() {
    json.begin_object().member("model", request.model);
    json.member("max_tokens", request.max_tokens.value_or(default_max_tokens));
    json.member("stream", request.stream);
    write_system();
    json.key("messages").begin_array();
    for (const auto& message : request.messages) {
      write(message);
    }
    json.end_array();
    if (!request.tools.empty()) {
      write_tools([this](const Tool& tool) {
        write_function(tool, "input_schema");
        write_optional(json, "strict", tool.strict);
        write_cache_mark(tool.cache_control);
        write_extra(tool.extra);
      });
      write_tool_choice();
    }
    write_thinking();
    write_stop("stop_sequences");
    write_optional(json, "temperature", request.sampling.temperature);
    write_optional(json, "top_p", request.sampling.top_p);
    write_optional(json, "top_k", request.sampling.top_k);
    if (!request.user.empty()) {
      json.key("metadata").begin_object().member("user_id", request.user).end_object();
    }
    write_extra(request.extra);
    json.end_object();
  }

 private:
  void write_system() {
    const auto& system = request.system;
    if (std::all_of(system.begin(), system.end(), [](const auto& t) { return t.text.empty(); })) {
      return;
    }
    json.key("system").begin_array();
    for (const auto& text : system) {
      write(text);
    }
    json.end_array();
  }

  void write(const Message& message) {
    const auto role = message.role == Role::assistant ? "assistant"
                      : message.role == Role::system  ? "system"
                                                      : "user";
    json.begin_object().member("role", role).key("content").begin_array();
    for (const auto& part : message.parts) {
      std::visit([this](const auto& p) { write(p); }, part);
    }
    json.end_array();
    write_extra(message.extra);
    json.end_object();
  }

  void write_cache_mark(const std::string& mark) {
    if (is_json_object(mark)) {
      json.key("cache_control").raw(mark);
    }
  }

  void write(const TextPart& part) {
    if (part.text.empty()) {
      return;  // an empty block is a 400
    }
    json.begin_object().member("type", "text").member("text", part.text);
    write_cache_mark(part.cache_control);
    write_extra(part.extra);
    json.end_object();
  }

  void write(const ImagePart& part) {
    json.begin_object().member("type", "image").key("source").begin_object();
    if (part.url.empty()) {
      // A name that many programs write, and the API refuses (hermes-agent#55432).
      const bool jpg = part.media_type == "image/jpg";
      json.member("type", "base64").member("media_type", jpg ? "image/jpeg" : part.media_type);
      json.member("data", part.base64);
    } else {
      json.member("type", "url").member("url", part.url);
    }
    json.end_object();
    write_extra(part.extra);
    json.end_object();
  }

  void write(const ToolCallPart& part) {
    json.begin_object().member("type", "tool_use").member("id", part.id);
    json.member("name", part.name).key("input").raw(object_or_empty(part.arguments));
    write_extra(part.extra);
    json.end_object();
  }

  void write(const ToolResultPart& part) {
    json.begin_object().member("type", "tool_result").member("tool_use_id", part.call_id);
    json.key("content").begin_array();
    for (const auto& content : part.content) {
      std::visit([this](const auto& c) { write(c); }, content);
    }
    json.end_array();
    if (part.is_error) {
      json.member("is_error", true);
    }
    write_cache_mark(part.cache_control);
    write_extra(part.extra);
    json.end_object();
  }

  void write(const ReasoningPart& part) {
    if (part.origin.protocol != own) {
      return;
    }
    if (!part.json.empty()) {
      json.raw(part.json);
    } else if (part.text.empty()) {
      json.begin_object()
          .member("type", "redacted_thinking")
          .member("data", part.seal)
          .end_object();
    } else {
      json.begin_object().member("type", "thinking").member("thinking", part.text);
      write_text(json, "signature", part.seal);
      json.end_object();
    }
  }

  void write(const OpaquePart& part) {
    if (part.protocol == own) {
      json.raw(part.json);
    }
  }

  void write_tool_choice() {
    using Mode = ToolChoice::Mode;
    const bool alone = request.parallel_tool_calls == false;
    std::string_view type;
    switch (request.tool_choice.mode) {
      case Mode::unset: type = alone ? "auto" : ""; break;
      case Mode::automatic: type = "auto"; break;
      case Mode::any: type = "any"; break;
      case Mode::named: type = "tool"; break;
      case Mode::none: type = "none"; break;
    }
    if (type.empty()) {
      return;
    }
    json.key("tool_choice").begin_object().member("type", type);
    write_text(json, "name", request.tool_choice.name);
    if (alone && request.tool_choice.mode != Mode::none) {
      json.member("disable_parallel_tool_use", true);
    }
    json.end_object();
  }

  void write_thinking() {
    using Mode = Thinking::Mode;
    const auto& thinking = request.thinking;
    if (thinking.mode != Mode::unset) {
      json.key("thinking").begin_object();
      json.member("type", thinking.mode == Mode::off        ? "disabled"
                          : thinking.mode == Mode::adaptive ? "adaptive"
                                                            : "enabled");
      if (thinking.mode == Mode::budget) {
        json.member("budget_tokens", thinking.budget_tokens);
      }
      write_text(json, "display", thinking.display);
      json.end_object();
    }
    if (thinking.effort.empty() && !request.output) {
      return;
    }
    json.key("output_config").begin_object();
    write_text(json, "effort", thinking.effort);
    if (request.output) {
      json.key("format").begin_object().member("type", "json_schema").key("schema");
      json.raw(is_json_object(request.output->schema) ? std::string_view(request.output->schema)
                                                      : R"({"type":"object"})");
      json.end_object();
    }
    json.end_object();
  }
};

}  // namespace

void write_request(const Request& request, std::string& out) {
  AnthropicRequestWriter(request, out).write();
}

}  // namespace understudy::llm::detail::anthropic
