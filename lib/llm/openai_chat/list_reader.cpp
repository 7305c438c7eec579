// Content and reasoning as compatible servers have them: in lists.
#include "reader.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

}  // namespace

/// Lists of text and reasoning; anything else says nothing. Mistral: {type: thinking, thinking: [{text}]}. Databricks:
/// {type: reasoning, summary: [{text, signature}]} (cline/cline#3032).
bool Reader::read_content_parts(value& content, EventSink& sink) {
  auto& arena = sink.arena();
  return json::elements_of(content, [&](value& part) {
    return json::members_of(part, [&](raw_json_string key, value& v) {
      if (key == "text") {
        const auto text = json::string_piece(v, arena).value_or(std::string_view());
        if (!text.empty()) {
          emit_text(text, false, sink);
        }
      } else if (key == "thinking" || key == "summary") {
        return json::elements_of(v, [&](value& thought) {
          return json::members_of(thought, [&](raw_json_string k, value& said) {
            const auto text = json::string_piece(said, arena).value_or(std::string_view());
            if (k == "text" && !text.empty()) {
              emit_reasoning(text, sink);
            } else if (k == "signature" && !text.empty()) {
              sink.emit(ReasoningSeal(reasoning_block(), ReasoningSeal::Kind::signature, text));
            }
            return true;
          });
        });
      }
      return true;
    });
  });
}

/// OpenRouter's and MiniMax's. What is readable usually stands in a field of its own as well.
bool Reader::read_reasoning_details(value& details, bool has_text, EventSink& sink) {
  auto& arena = sink.arena();
  return json::elements_of(details, [&](value& detail) {
    std::string_view text;
    std::string_view data;
    std::string_view signature;
    std::string_view id;
    const bool whole = json::members_of(detail, [&](raw_json_string key, value& v) {
      if (key == "text" || key == "summary") {
        text = json::text(v, arena);
      } else if (key == "data") {
        data = json::text(v, arena);
      } else if (key == "signature") {
        signature = json::text(v, arena);
      } else if (key == "id") {
        id = json::text(v, arena);
      }
      return true;
    });
    if (!has_text && !text.empty()) {
      emit_reasoning(text, sink);
    }
    if (!signature.empty()) {
      sink.emit(ReasoningSeal(reasoning_block(), ReasoningSeal::Kind::signature, signature, id));
    }
    if (!data.empty()) {
      sink.emit(ReasoningSeal(reasoning_block(), ReasoningSeal::Kind::encrypted, data, id));
    }
    return whole;
  });
}

}  // namespace understudy::llm::detail::openai_chat
