#include <utility>

#include "llm/request_json.hpp"
#include "request.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

class ChatRequestWriter : RequestWriter {
 public:
  static constexpr Protocol own = Protocol::openai_chat;

  ChatRequestWriter(const Request& asked, std::string& out) : RequestWriter(asked, own, out) {}

  void write() {
    json.begin_object().member("model", request.model).member("stream", request.stream);
    if (request.stream && request.stream_usage) {
      json.key("stream_options").begin_object().member("include_usage", true).end_object();
    }
    json.key("messages").begin_array();
    if (const auto text = system(); !text.empty()) {
      json.begin_object().member("role", "system").member("content", text).end_object();
    }
    for (const auto& message : request.messages) {
      write(message);
    }
    json.end_array();
    if (!request.tools.empty()) {
      write_tools([this](const Tool& tool) { write(tool); });
      write_openai_tool_choice([this](const std::string& name) {
        const bool custom = extras && request.tool_choice.form == ToolForm::custom;
        json.key(custom ? "custom" : "function").begin_object().member("name", name).end_object();
      });
    }
    write_optional(json, output_limit(), request.max_tokens);
    write_text(json, "reasoning_effort", request.thinking.effort);
    write_format();
    write_stop("stop");
    write_optional(json, "temperature", request.sampling.temperature);
    write_optional(json, "top_p", request.sampling.top_p);
    write_optional(json, "seed", request.sampling.seed);
    write_text(json, "user", request.user);
    write_extra(request.extra);
    json.end_object();
  }

 private:
  const char* output_limit() const {
    const bool refuses_old =
        !request.output_limit && Catalog::built_in().model(request.model).refuses_max_tokens;
    return refuses_old || request.output_limit == OutputLimit::max_completion_tokens
               ? "max_completion_tokens"
               : "max_tokens";
  }

  void write(const Message& message) {
    switch (message.role) {
      case Role::user: write_user(message); break;
      case Role::assistant: write_assistant(message); break;
      case Role::system:
        json.begin_object().member("role", "system").member("content", text_of(message));
        write_extra(message.extra);
        json.end_object();
        break;
    }
  }

  static std::string text_of(const Message& message) {
    std::string text;
    for (const auto& part : message.parts) {
      const auto* said = std::get_if<TextPart>(&part);
      text += said != nullptr && !said->refusal ? said->text : "";
    }
    return text;
  }

  /// What a tool's result holds beside text, and this protocol takes from the user alone.
  static bool belongs_to_user(const ToolResultPart::Content& content) {
    const auto* opaque = std::get_if<OpaquePart>(&content);
    return std::holds_alternative<ImagePart>(content) ||
           (opaque != nullptr && opaque->protocol == own);
  }

  /// Tool results are messages of their own, before the rest; images and documents in them belong to the
  /// rest.
  void write_user(const Message& message) {
    bool rest = message.parts.empty();
    for (const auto& part : message.parts) {
      if (const auto* result = std::get_if<ToolResultPart>(&part)) {
        write_result(*result);
        for (const auto& content : result->content) {
          rest = rest || belongs_to_user(content);
        }
      } else {
        rest = true;
      }
    }
    if (!rest) {
      return;
    }
    json.begin_object().member("role", "user").key("content");
    const auto* only =
        message.parts.size() == 1 ? std::get_if<TextPart>(&message.parts.front()) : nullptr;
    if (only != nullptr && only->extra.empty()) {
      json.value(only->text);
    } else {
      json.begin_array();
      for (const auto& part : message.parts) {
        write_user_part(part);
      }
      json.end_array();
    }
    write_extra(message.extra);
    json.end_object();
  }

  void write_user_part(const Part& part) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      json.begin_object().member("type", "text").member("text", text->text);
      write_extra(text->extra);
      json.end_object();
    } else if (const auto* image = std::get_if<ImagePart>(&part)) {
      write_image(*image);
    } else if (const auto* result = std::get_if<ToolResultPart>(&part)) {
      for (const auto& content : result->content) {
        if (const auto* seen = std::get_if<ImagePart>(&content)) {
          write_image(*seen);
        } else if (belongs_to_user(content)) {
          json.raw(std::get<OpaquePart>(content).json);
        }
      }
    } else if (const auto* opaque = std::get_if<OpaquePart>(&part)) {
      if (opaque->protocol == own) {
        json.raw(opaque->json);
      }
    }
  }

  void write_image(const ImagePart& image) {
    json.begin_object().member("type", "image_url").key("image_url").begin_object();
    json.member("url", url_of(image));
    write_text(json, "detail", image.detail);
    json.end_object();
    write_extra(image.extra);
    json.end_object();
  }

  void write_result(const ToolResultPart& result) {
    std::string text;
    for (const auto& content : result.content) {
      if (const auto* said = std::get_if<TextPart>(&content)) {
        text += said->text;
      }
    }
    json.begin_object().member("role", "tool").member("tool_call_id", result.call_id);
    json.member("content", text);
    write_extra(result.extra);
    json.end_object();
  }

  void write_assistant(const Message& message) {
    const auto text = text_of(message);
    std::string refusal;
    std::string reasoning;
    std::string_view details;
    bool calls = false;
    for (const auto& part : message.parts) {
      if (const auto* said = std::get_if<TextPart>(&part)) {
        refusal += said->refusal ? said->text : "";
      } else if (const auto* thought = std::get_if<ReasoningPart>(&part)) {
        if (thought->origin.protocol == own) {
          reasoning += thought->text;
          details = thought->json.empty() ? details : std::string_view(thought->json);
        }
      }
      calls = calls || std::holds_alternative<ToolCallPart>(part);
    }
    json.begin_object().member("role", "assistant").key("content");
    text.empty() && (calls || !refusal.empty()) ? json.null() : json.value(text);
    write_text(json, "refusal", refusal);
    write_text(json, "reasoning_content", reasoning);
    if (!details.empty()) {
      json.key("reasoning_details").raw(details);
    }
    if (calls) {
      json.key("tool_calls").begin_array();
      std::string_view signature;
      for (const auto& part : message.parts) {
        if (const auto* thought = std::get_if<ReasoningPart>(&part)) {
          signature = thought->origin.protocol == own ? std::string_view(thought->call_signature)
                                                      : std::string_view();
        } else if (const auto* call = std::get_if<ToolCallPart>(&part)) {
          write_call(*call, std::exchange(signature, {}));
        }
      }
      json.end_array();
    }
    write_extra(message.extra);
    json.end_object();
  }

  /// `signature`: what Gemini has as `extra_content`, or empty.
  void write_call(const ToolCallPart& call, std::string_view signature) {
    if (extras && call.form == ToolForm::custom) {
      return write_custom_call(call);
    }
    json.begin_object().member("id", call.id).member("type", "function").key("function");
    json.begin_object().member("name", call.name);
    json.member("arguments",
                call.arguments.empty() ? std::string_view("{}") : std::string_view(call.arguments));
    json.end_object();
    if (!signature.empty()) {
      json.key("extra_content").raw(signature);
    }
    write_extra(call.extra);
    json.end_object();
  }

  void write_custom_call(const ToolCallPart& call) {
    json.begin_object().member("type", "custom").member("id", call.id).key("custom");
    json.begin_object().member("name", call.name);
    json.member("input", custom_input(call.arguments)).end_object();
    write_extra(call.extra);
    json.end_object();
  }

  void write(const Tool& tool) {
    json.member("type", "function").key("function").begin_object();
    write_function(tool, "parameters");
    write_optional(json, "strict", tool.strict);
    json.end_object();
    write_extra(tool.extra);
  }

  void write_format() {
    if (!request.output) {
      return;
    }
    const auto& output = *request.output;
    json.key("response_format").begin_object();
    if (is_json_object(output.schema)) {
      json.member("type", "json_schema").key("json_schema").begin_object();
      json.member("name", output.name.empty() ? "output" : output.name);
      write_optional(json, "strict", output.strict);
      json.key("schema").raw(output.schema).end_object();
    } else {
      json.member("type", "json_object");
    }
    json.end_object();
  }
};

}  // namespace

void write_request(const Request& request, std::string& out) {
  ChatRequestWriter(request, out).write();
}

}  // namespace understudy::llm::detail::openai_chat
