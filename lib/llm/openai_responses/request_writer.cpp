#include <algorithm>

#include "llm/request_json.hpp"
#include "request.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

class ResponsesRequestWriter : RequestWriter {
 public:
  static constexpr Protocol own = Protocol::openai_responses;

  ResponsesRequestWriter(const Request& asked, std::string& out) : RequestWriter(asked, own, out) {}

  void write() {
    json.begin_object().member("model", request.model).member("stream", request.stream);
    if (!extras) {
      json.member("store", false);
      if (request.sealed_reasoning) {  // not kept there, so it must hand out what it will want back
        json.key("include").begin_array().value("reasoning.encrypted_content").end_array();
      }
    }
    write_text(json, "instructions", system());
    json.key("input").begin_array();
    for (const auto& message : request.messages) {
      write(message);
    }
    json.end_array();
    if (!request.tools.empty()) {
      write_tools([this](const Tool& tool) { write(tool); });
      write_openai_tool_choice([this](const std::string& name) { json.member("name", name); });
    }
    write_optional(json, "max_output_tokens", request.max_tokens);
    write_reasoning();
    write_format();
    write_optional(json, "temperature", request.sampling.temperature);
    write_optional(json, "top_p", request.sampling.top_p);
    write_text(json, "safety_identifier", request.user);
    write_extra(request.extra);
    json.end_object();
  }

 private:
  /// One message of ours is several items: what stands in a message, and everything else.
  void write(const Message& message) {
    begun_ = false;
    if (message.parts.empty()) {
      begin_message(message);
    }
    for (const auto& part : message.parts) {
      if (const auto* result = std::get_if<ToolResultPart>(&part)) {
        end_message(message);
        write_result(*result);
      } else if (const auto* call = std::get_if<ToolCallPart>(&part)) {
        end_message(message);
        write_call(*call);
      } else if (const auto* reasoning = std::get_if<ReasoningPart>(&part)) {
        end_message(message);
        write_reasoning_item(*reasoning);
      } else if (const auto* opaque = std::get_if<OpaquePart>(&part)) {
        if (opaque->protocol == own) {
          is_content(opaque->type) ? begin_message(message) : end_message(message);
          json.raw(opaque->json);
        }
      } else {
        begin_message(message);
        if (const auto* text = std::get_if<TextPart>(&part)) {
          write_text_part(*text, message.role == Role::assistant);
        } else {
          write_image(std::get<ImagePart>(part));
        }
      }
    }
    end_message(message);
  }

  void begin_message(const Message& message) {
    if (begun_) {
      return;
    }
    begun_ = true;
    json.begin_object().member("type", "message");
    json.member("role", message.role == Role::assistant ? "assistant"
                        : message.role == Role::system  ? "developer"
                                                        : "user");
    json.key("content").begin_array();
  }

  void end_message(const Message& message) {
    if (begun_) {
      json.end_array();
      write_extra(message.extra);
      json.end_object();
    }
    begun_ = false;
  }

  void write_text_part(const TextPart& part, bool of_assistant) {
    json.begin_object();
    if (part.refusal) {
      json.member("type", "refusal").member("refusal", part.text);
    } else {
      json.member("type", of_assistant ? "output_text" : "input_text").member("text", part.text);
    }
    write_extra(part.extra);
    if (!extras && of_assistant && !part.refusal) {
      json.key("annotations").begin_array().end_array();
    }
    json.end_object();
  }

  void write_image(const ImagePart& image) {
    json.begin_object().member("type", "input_image");
    json.member("image_url", url_of(image));
    write_text(json, "detail", image.detail);
    write_extra(image.extra);
    json.end_object();
  }

  void write_call(const ToolCallPart& call) {
    const auto form = form_of(call.form);
    json.begin_object().member("type", call_type(form)).member("call_id", call.id);
    if (form == ToolForm::search) {
      json.key("arguments").raw(object_or_empty(call.arguments));
      if (call.extra.empty()) {
        json.member("execution", "client");
      }
    } else {
      json.member("name", call.name);
      if (extras) {
        write_text(json, "namespace", call.name_space);
      }
      if (form == ToolForm::custom) {
        json.member("input", custom_input(call.arguments));
      } else {
        json.member("arguments", call.arguments.empty() ? std::string_view("{}")
                                                        : std::string_view(call.arguments));
      }
    }
    write_extra(call.extra);
    json.end_object();
  }

  /// Forms are this protocol's own: the translation of a request of another one has made functions of them.
  ToolForm form_of(ToolForm form) const { return extras ? form : ToolForm::function; }

  static std::string_view call_type(ToolForm form) {
    switch (form) {
      case ToolForm::function: break;
      case ToolForm::custom: return "custom_tool_call";
      case ToolForm::search: return "tool_search_call";
    }
    return "function_call";
  }

  void write_found(const ToolResultPart& result) {
    json.begin_object().member("type", "tool_search_output").member("call_id", result.call_id);
    if (result.extra.empty()) {  // the search was interrupted
      json.member("execution", "client").member("status", "incomplete");
      json.key("tools").begin_array().end_array();
    }
    write_extra(result.extra);
    json.end_object();
  }

  void write_result(const ToolResultPart& result) {
    const auto form = form_of(result.form);
    if (form == ToolForm::search) {
      return write_found(result);
    }
    json.begin_object().member(
        "type", form == ToolForm::custom ? "custom_tool_call_output" : "function_call_output");
    json.member("call_id", result.call_id);
    json.key("output");
    const bool plain = std::all_of(result.content.begin(), result.content.end(), [](const auto& c) {
      const auto* text = std::get_if<TextPart>(&c);
      return text != nullptr && text->extra.empty();
    });
    if (plain) {
      std::string text;
      for (const auto& content : result.content) {
        text += std::get<TextPart>(content).text;
      }
      json.value(text);
    } else {
      json.begin_array();
      for (const auto& content : result.content) {
        if (const auto* text = std::get_if<TextPart>(&content)) {
          write_text_part(*text, false);
        } else if (const auto* image = std::get_if<ImagePart>(&content)) {
          write_image(*image);
        } else if (const auto& opaque = std::get<OpaquePart>(content); opaque.protocol == own) {
          json.raw(opaque.json);
        }
      }
      json.end_array();
    }
    write_extra(result.extra);
    json.end_object();
  }

  void write_reasoning_item(const ReasoningPart& part) {
    if (part.origin.protocol != own) {
      return;
    }
    if (!part.json.empty()) {
      json.raw(part.json);
      return;
    }
    json.begin_object().member("type", "reasoning").key("summary").begin_array();
    if (!part.text.empty()) {
      json.begin_object().member("type", "summary_text").member("text", part.text).end_object();
    }
    json.end_array();
    write_text(json, "encrypted_content", part.seal);
    json.end_object();
  }

  void write(const Tool& tool) {
    json.member("type", "function");
    write_function(tool, "parameters");
    if (tool.strict || !extras) {
      json.member("strict", tool.strict.value_or(false));  // left out, it means true
    }
    write_extra(tool.extra);
  }

  void write_reasoning() {
    const auto& thinking = request.thinking;
    if (thinking.effort.empty() && thinking.display.empty()) {
      return;
    }
    json.key("reasoning").begin_object();
    write_text(json, "effort", thinking.effort);
    write_text(json, "summary", thinking.display);
    json.end_object();
  }

  /// A caller's `text` that says more than the format is among the extra fields, whole.
  void write_format() {
    const bool whole = extras && std::any_of(request.extra.begin(), request.extra.end(),
                                             [](const auto& e) { return e.first == "text"; });
    if (!request.output || whole) {
      return;
    }
    const auto& output = *request.output;
    json.key("text").begin_object().key("format").begin_object();
    if (is_json_object(output.schema)) {
      json.member("type", "json_schema");
      json.member("name", output.name.empty() ? "output" : output.name);
      json.key("schema").raw(output.schema);
      write_optional(json, "strict", output.strict);
    } else {
      json.member("type", "json_object");
    }
    json.end_object().end_object();
  }

  bool begun_ = false;  // a message item
};

}  // namespace

void write_request(const Request& request, std::string& out) {
  ResponsesRequestWriter(request, out).write();
}

}  // namespace understudy::llm::detail::openai_responses
