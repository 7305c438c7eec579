#include <algorithm>

#include "anthropic_request.hpp"
#include "request_json.hpp"

namespace understudy::detail {
namespace {

/// The API demands a limit. What its older models still served can answer at most.
constexpr std::uint64_t default_max_tokens = 8192;

constexpr Protocol own = Protocol::anthropic_messages;

class Writer : RequestWriter {
 public:
  Writer(const Request& request, std::string& out) : RequestWriter(request, own, out) {}

  void write() {
    json_.begin_object().member("model", request_.model);
    json_.member("max_tokens", request_.max_tokens.value_or(default_max_tokens));
    json_.member("stream", request_.stream);
    write_system();
    json_.key("messages").begin_array();
    for (const auto& message : request_.messages) {
      write(message);
    }
    json_.end_array();
    if (!request_.tools.empty()) {
      write_tools([this](const Tool& tool) {
        write_function(tool, "input_schema");
        write_optional(json_, "strict", tool.strict);
        write_extra(tool.extra);
      });
      write_tool_choice();
    }
    write_thinking();
    write_stop("stop_sequences");
    write_optional(json_, "temperature", request_.sampling.temperature);
    write_optional(json_, "top_p", request_.sampling.top_p);
    write_optional(json_, "top_k", request_.sampling.top_k);
    if (!request_.user.empty()) {
      json_.key("metadata").begin_object().member("user_id", request_.user).end_object();
    }
    write_extra(request_.extra);
    json_.end_object();
  }

 private:
  void write_system() {
    const auto& system = request_.system;
    if (std::all_of(system.begin(), system.end(), [](const auto& t) { return t.text.empty(); })) {
      return;
    }
    json_.key("system").begin_array();
    for (const auto& text : system) {
      write(text);
    }
    json_.end_array();
  }

  void write(const Message& message) {
    const auto role = message.role == Role::assistant ? "assistant"
                      : message.role == Role::system  ? "system"
                                                      : "user";
    json_.begin_object().member("role", role).key("content").begin_array();
    for (const auto& part : message.parts) {
      std::visit([this](const auto& p) { write(p); }, part);
    }
    json_.end_array();
    write_extra(message.extra);
    json_.end_object();
  }

  void write(const TextPart& part) {
    if (part.text.empty()) {
      return;  // an empty block is a 400
    }
    json_.begin_object().member("type", "text").member("text", part.text);
    write_extra(part.extra);
    json_.end_object();
  }

  void write(const ImagePart& part) {
    json_.begin_object().member("type", "image").key("source").begin_object();
    if (part.url.empty()) {
      json_.member("type", "base64").member("media_type", part.media_type);
      json_.member("data", part.base64);
    } else {
      json_.member("type", "url").member("url", part.url);
    }
    json_.end_object();
    write_extra(part.extra);
    json_.end_object();
  }

  void write(const ToolCallPart& part) {
    json_.begin_object().member("type", "tool_use").member("id", part.id);
    json_.member("name", part.name).key("input").raw(object_or_empty(part.arguments));
    write_extra(part.extra);
    json_.end_object();
  }

  void write(const ToolResultPart& part) {
    json_.begin_object().member("type", "tool_result").member("tool_use_id", part.call_id);
    json_.key("content").begin_array();
    for (const auto& content : part.content) {
      std::visit([this](const auto& c) { write(c); }, content);
    }
    json_.end_array();
    if (part.is_error) {
      json_.member("is_error", true);
    }
    write_extra(part.extra);
    json_.end_object();
  }

  void write(const ReasoningPart& part) {
    if (part.origin.protocol != own) {
      return;
    }
    if (!part.json.empty()) {
      json_.raw(part.json);
    } else if (part.text.empty()) {
      json_.begin_object()
          .member("type", "redacted_thinking")
          .member("data", part.seal)
          .end_object();
    } else {
      json_.begin_object().member("type", "thinking").member("thinking", part.text);
      json_.member("signature", part.seal).end_object();
    }
  }

  void write(const OpaquePart& part) {
    if (part.protocol == own) {
      json_.raw(part.json);
    }
  }

  void write_tool_choice() {
    using Mode = ToolChoice::Mode;
    const bool alone = request_.parallel_tool_calls == false;
    std::string_view type;
    switch (request_.tool_choice.mode) {
      case Mode::unset: type = alone ? "auto" : ""; break;
      case Mode::automatic: type = "auto"; break;
      case Mode::any: type = "any"; break;
      case Mode::named: type = "tool"; break;
      case Mode::none: type = "none"; break;
    }
    if (type.empty()) {
      return;
    }
    json_.key("tool_choice").begin_object().member("type", type);
    write_text(json_, "name", request_.tool_choice.name);
    if (alone && request_.tool_choice.mode != Mode::none) {
      json_.member("disable_parallel_tool_use", true);
    }
    json_.end_object();
  }

  void write_thinking() {
    using Mode = Thinking::Mode;
    const auto& thinking = request_.thinking;
    if (thinking.mode != Mode::unset) {
      json_.key("thinking").begin_object();
      json_.member("type", thinking.mode == Mode::off        ? "disabled"
                           : thinking.mode == Mode::adaptive ? "adaptive"
                                                             : "enabled");
      if (thinking.mode == Mode::budget) {
        json_.member("budget_tokens", thinking.budget_tokens);
      }
      write_text(json_, "display", thinking.display);
      json_.end_object();
    }
    if (thinking.effort.empty() && !request_.output) {
      return;
    }
    json_.key("output_config").begin_object();
    write_text(json_, "effort", thinking.effort);
    if (request_.output) {
      json_.key("format").begin_object().member("type", "json_schema").key("schema");
      json_.raw(is_json_object(request_.output->schema) ? std::string_view(request_.output->schema)
                                                        : R"({"type":"object"})");
      json_.end_object();
    }
    json_.end_object();
  }
};

}  // namespace

void write_anthropic_request(const Request& request, std::string& out) {
  Writer(request, out).write();
}

}  // namespace understudy::detail
