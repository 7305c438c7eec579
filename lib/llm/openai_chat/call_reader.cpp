// Tool calls, in fragments.
#include "reader.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

}  // namespace

bool Reader::read_call(value& call, EventSink& sink) {
  auto& arena = sink.arena();
  std::optional<std::size_t> index;
  std::string_view id;
  std::string_view name;
  std::string_view arguments;
  std::string_view signature;
  bool custom = false;
  const bool whole = json::members_of(call, [&](raw_json_string key, value& v) {
    if (key == "index") {
      index = json::count(v);
    } else if (key == "id") {
      id = json::text(v, arena);
    } else if (key == "function") {
      return read_function(v, name, arguments, arena);
    } else if (key == "custom") {
      custom = !json::is_null(v);
    } else if (key == "extra_content") {
      return read_signature(v, signature, arena);
    }
    return true;
  });
  if (whole && custom) {  // a call of plain text, for which the events have no form
    said_ = said_now_ = called_ = true;
    sink.emit(Other("custom_tool_call", true));
    return true;
  }
  if (whole && !signature.empty()) {
    sink.emit(ReasoningSeal(reasoning_block(), ReasoningSeal::Kind::call, signature));
  }
  return whole && emit_call(index, id, name, arguments, sink);
}

/// Gemini's: {"google": {"thought_signature": "..."}}.
bool Reader::read_signature(value& extra, std::string_view& signature, text::Arena& arena) {
  return json::members_of(extra, [&](raw_json_string maker, value& google) {
    return maker != "google" || json::members_of(google, [&](raw_json_string key, value& v) {
             if (key == "thought_signature") {
               signature = json::text(v, arena);
             }
             return true;
           });
  });
}

bool Reader::read_function(value& function, std::string_view& name, std::string_view& arguments,
                           text::Arena& arena) {
  return json::members_of(function, [&](raw_json_string key, value& v) {
    if (key == "name") {
      name = json::text(v, arena);
    } else if (key == "arguments") {
      if (v.raw_json_token().starts_with('{')) {  // an object where a string belongs
        arguments = json::raw(v);
        return !arguments.empty();
      }
      const auto text = json::string_piece(v, arena);
      arguments = text.value_or(std::string_view());
      return text || !v.raw_json_token().starts_with('"');
    }
    return true;
  });
}

/// A fragment of a call. Without an index, or with one that several calls share, the id decides; without
/// an id, a name where the arguments so far are whole and more come.
bool Reader::emit_call(std::optional<std::size_t> index, std::string_view id, std::string_view name,
                       std::string_view arguments, EventSink& sink) {
  OpenBlock* call = index ? calls_.find(*index) : latest_;
  if (!index && !id.empty()) {
    const auto known = by_id_.find(id);
    call = known == by_id_.end() ? nullptr : known->second;
  }
  const bool another =
      call != nullptr && !name.empty() &&
      (id.empty() ? call->arguments.whole() && !arguments.empty() : call->id != id);
  if (call == nullptr || another) {
    call = calls_.open(index.value_or(calls_.size()), OpenBlock::Kind::tool);
    if (call == nullptr) {
      return false;
    }
    call->id = id;
    latest_ = call;
    by_id_.insert_or_assign(call->id, call);
    sink.emit(ToolStart(call->block, id, name));
    writing_ = Writing::nothing;
    said_ = said_now_ = called_ = true;
  }
  if (!arguments.empty()) {
    said_now_ = true;
    call->arguments.add(arguments);
    sink.emit(ToolArguments(call->block, arguments));
  }
  return true;
}

}  // namespace understudy::llm::detail::openai_chat
