#include <algorithm>

#include "request_json.hpp"
#include "responses_request.hpp"

namespace understudy::detail {
namespace {

constexpr Protocol own = Protocol::openai_responses;

class Writer : RequestWriter {
 public:
  Writer(const Request& request, std::string& out) : RequestWriter(request, own, out) {}

  void write() {
    json_.begin_object().member("model", request_.model).member("stream", request_.stream);
    if (!extras_) {  // nothing is kept by the server, so it must hand out what it will want back
      json_.member("store", false).key("include").begin_array();
      json_.value("reasoning.encrypted_content").end_array();
    }
    write_text(json_, "instructions", system());
    json_.key("input").begin_array();
    for (const auto& message : request_.messages) {
      write(message);
    }
    json_.end_array();
    if (!request_.tools.empty()) {
      write_tools([this](const Tool& tool) { write(tool); });
      write_openai_tool_choice([this](const std::string& name) { json_.member("name", name); });
    }
    write_optional(json_, "max_output_tokens", request_.max_tokens);
    write_reasoning();
    write_format();
    write_optional(json_, "temperature", request_.sampling.temperature);
    write_optional(json_, "top_p", request_.sampling.top_p);
    write_text(json_, "safety_identifier", request_.user);
    write_extra(request_.extra);
    json_.end_object();
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
          responses_content(opaque->type) ? begin_message(message) : end_message(message);
          json_.raw(opaque->json);
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
    json_.begin_object().member("type", "message");
    json_.member("role", message.role == Role::assistant ? "assistant"
                         : message.role == Role::system  ? "developer"
                                                         : "user");
    json_.key("content").begin_array();
  }

  void end_message(const Message& message) {
    if (begun_) {
      json_.end_array();
      write_extra(message.extra);
      json_.end_object();
    }
    begun_ = false;
  }

  void write_text_part(const TextPart& part, bool of_assistant) {
    json_.begin_object();
    if (part.refusal) {
      json_.member("type", "refusal").member("refusal", part.text);
    } else {
      json_.member("type", of_assistant ? "output_text" : "input_text").member("text", part.text);
    }
    write_extra(part.extra);
    if (!extras_ && of_assistant && !part.refusal) {
      json_.key("annotations").begin_array().end_array();
    }
    json_.end_object();
  }

  void write_image(const ImagePart& image) {
    json_.begin_object().member("type", "input_image");
    json_.member("image_url", url_of(image));
    write_text(json_, "detail", image.detail);
    write_extra(image.extra);
    json_.end_object();
  }

  void write_call(const ToolCallPart& call) {
    json_.begin_object().member("type", "function_call").member("call_id", call.id);
    json_.member("name", call.name);
    json_.member("arguments", call.arguments.empty() ? std::string_view("{}")
                                                     : std::string_view(call.arguments));
    write_extra(call.extra);
    json_.end_object();
  }

  void write_result(const ToolResultPart& result) {
    json_.begin_object().member("type", "function_call_output").member("call_id", result.call_id);
    json_.key("output");
    const bool plain = std::all_of(result.content.begin(), result.content.end(), [](const auto& c) {
      const auto* text = std::get_if<TextPart>(&c);
      return text != nullptr && text->extra.empty();
    });
    if (plain) {
      std::string text;
      for (const auto& content : result.content) {
        text += std::get<TextPart>(content).text;
      }
      json_.value(text);
    } else {
      json_.begin_array();
      for (const auto& content : result.content) {
        if (const auto* text = std::get_if<TextPart>(&content)) {
          write_text_part(*text, false);
        } else if (const auto* image = std::get_if<ImagePart>(&content)) {
          write_image(*image);
        } else if (const auto& opaque = std::get<OpaquePart>(content); opaque.protocol == own) {
          json_.raw(opaque.json);
        }
      }
      json_.end_array();
    }
    write_extra(result.extra);
    json_.end_object();
  }

  void write_reasoning_item(const ReasoningPart& part) {
    if (part.origin.protocol != own) {
      return;
    }
    if (!part.json.empty()) {
      json_.raw(part.json);
      return;
    }
    json_.begin_object().member("type", "reasoning").key("summary").begin_array();
    if (!part.text.empty()) {
      json_.begin_object().member("type", "summary_text").member("text", part.text).end_object();
    }
    json_.end_array();
    write_text(json_, "encrypted_content", part.seal);
    json_.end_object();
  }

  void write(const Tool& tool) {
    json_.member("type", "function");
    write_function(tool, "parameters");
    if (tool.strict || !extras_) {
      json_.member("strict", tool.strict.value_or(false));  // left out, it means true
    }
    write_extra(tool.extra);
  }

  void write_reasoning() {
    const auto& thinking = request_.thinking;
    if (thinking.effort.empty() && thinking.display.empty()) {
      return;
    }
    json_.key("reasoning").begin_object();
    write_text(json_, "effort", thinking.effort);
    write_text(json_, "summary", thinking.display);
    json_.end_object();
  }

  /// A caller's `text` that says more than the format is among the extra fields, whole.
  void write_format() {
    const bool whole = extras_ && std::any_of(request_.extra.begin(), request_.extra.end(),
                                              [](const auto& e) { return e.first == "text"; });
    if (!request_.output || whole) {
      return;
    }
    const auto& output = *request_.output;
    json_.key("text").begin_object().key("format").begin_object();
    if (is_json_object(output.schema)) {
      json_.member("type", "json_schema");
      json_.member("name", output.name.empty() ? "output" : output.name);
      json_.key("schema").raw(output.schema);
      write_optional(json_, "strict", output.strict);
    } else {
      json_.member("type", "json_object");
    }
    json_.end_object().end_object();
  }

  bool begun_ = false;  // a message item
};

}  // namespace

void write_responses_request(const Request& request, std::string& out) {
  Writer(request, out).write();
}

}  // namespace understudy::detail
