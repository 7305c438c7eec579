#include "understudy/llm/mend.hpp"

#include <algorithm>
#include <array>

#include "known_texts.hpp"
#include "request_json.hpp"

namespace understudy::llm {
namespace {

using detail::raw_json_string;
using detail::value;

bool drop_reasoning(Request& request) {
  std::size_t dropped = 0;
  for (auto& message : request.messages) {
    dropped += std::erase_if(message.parts, [](const Part& part) {
      return std::holds_alternative<ReasoningPart>(part);
    });
  }
  std::erase_if(request.messages, [](const Message& message) { return message.parts.empty(); });
  return dropped > 0;
}

bool allow_reasoning(Request& request) {
  const bool forbidden =
      request.thinking.mode == Thinking::Mode::off || request.thinking.effort == "none";
  if (forbidden) {
    request.thinking = Thinking();
  }
  return forbidden;
}

template <class Variant>
bool replace_image(Variant& part) {
  const bool image = std::holds_alternative<ImagePart>(part);
  if (image) {
    part = TextPart(std::string(detail::left_out_text));
  }
  return image;
}

bool plain_tool_results(Request& request) {
  bool changed = false;
  for (auto& message : request.messages) {
    for (auto& part : message.parts) {
      if (auto* const result = std::get_if<ToolResultPart>(&part)) {
        for (auto& content : result->content) {
          if (!std::holds_alternative<TextPart>(content)) {
            content = TextPart(std::string(detail::left_out_text));
            changed = true;
          }
        }
      }
    }
  }
  return changed;
}

bool drop_images(Request& request) {
  bool changed = false;
  for (auto& message : request.messages) {
    for (auto& part : message.parts) {
      changed = replace_image(part) || changed;
      if (auto* const result = std::get_if<ToolResultPart>(&part)) {
        for (auto& content : result->content) {
          changed = replace_image(content) || changed;
        }
      }
    }
  }
  return changed;
}

/// Copies a schema but for what llama.cpp's grammars do not take. A property may have one of those names;
/// then its value is not a string. A schema that is nested too deep is left as it is: each level takes stack.
class SchemaCopy {
 public:
  explicit SchemaCopy(std::string& out) : json_(out) {}

  bool object(json::ondemand::object members) {
    if (depth_ == deepest) {
      return false;
    }
    ++depth_;
    json_.begin_object();
    const bool whole = json::members(members, [&](raw_json_string key, value& v) {
      const auto name = json::name(key);
      if ((name == "pattern" || name == "format") && json::raw_string(v)) {
        dropped_ = true;
        return true;
      }
      json_.key(json::unescaped(name, arena_).value_or(name));
      return any(v);
    });
    json_.end_object();
    --depth_;
    return whole;
  }
  bool dropped() const { return dropped_; }

 private:
  bool any(value& v) {
    const auto token = v.raw_json_token();
    if (token.starts_with('{')) {
      json::ondemand::object members;
      return v.get_object().get(members) == simdjson::SUCCESS && object(members);
    }
    if (token.starts_with('[')) {
      json::ondemand::array list;
      if (v.get_array().get(list) != simdjson::SUCCESS) {
        return false;
      }
      if (depth_ == deepest) {
        return false;
      }
      ++depth_;
      json_.begin_array();
      const bool whole = json::elements(list, [&](value& element) { return any(element); });
      json_.end_array();
      --depth_;
      return whole;
    }
    const auto text = json::raw(v);
    json_.raw(text);
    return !text.empty();
  }

  static constexpr std::size_t deepest = 256;

  JsonWriter json_;
  text::Arena arena_;
  std::size_t depth_ = 0;
  bool dropped_ = false;
};

bool drop_patterns(std::string& schema) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(schema, arena), arena);
  const auto object = parser.object();
  std::string out;
  SchemaCopy copy(out);
  const bool changed = object && copy.object(*object) && copy.dropped();
  if (changed) {
    schema = std::move(out);
  }
  return changed;
}

bool drop_patterns(std::vector<Tool>& tools) {
  bool changed = false;
  for (auto& tool : tools) {
    changed = drop_patterns(tool.schema) || changed;
    changed = drop_patterns(tool.tools) || changed;
  }
  return changed;
}

/// Of tools that the conversation makes available.
bool drop_patterns(Part& part) {
  auto* const result = std::get_if<ToolResultPart>(&part);
  auto* const opaque = std::get_if<OpaquePart>(&part);
  return (result != nullptr && drop_patterns(result->tools)) ||
         (opaque != nullptr && drop_patterns(opaque->tools));
}

bool drop_patterns(Request& request) {
  bool changed = drop_patterns(request.tools);
  for (auto& message : request.messages) {
    for (auto& part : message.parts) {
      changed = drop_patterns(part) || changed;
    }
  }
  if (request.output) {
    changed = drop_patterns(request.output->schema) || changed;
  }
  return changed;
}

/// What each failure asks for; all others are not about what a request holds.
struct Remedy {
  FailoverReason reason;
  bool (*apply)(Request&);
};
constexpr std::array remedies{
    Remedy{FailoverReason::thinking_signature, drop_reasoning},
    Remedy{FailoverReason::invalid_encrypted_content, drop_reasoning},
    Remedy{FailoverReason::reasoning_mandatory, allow_reasoning},
    Remedy{FailoverReason::multimodal_tool_content_unsupported, plain_tool_results},
    Remedy{FailoverReason::image_corrupt, drop_images},
    Remedy{FailoverReason::llama_cpp_grammar_pattern, drop_patterns},
};

}  // namespace

bool mend(Request& request, FailoverReason reason) {
  const auto* const remedy = std::find_if(remedies.begin(), remedies.end(),
                                          [&](const Remedy& r) { return r.reason == reason; });
  const bool changed = remedy != remedies.end() && remedy->apply(request);
  if (changed) {
    request.body.clear();
  }
  return changed;
}

}  // namespace understudy::llm
