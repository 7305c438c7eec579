// The items of an answer: begun, and whole at their end or in a whole answer.
#include "places.hpp"
#include "reader.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;
using BlockKind = OpenBlock::Kind;

}  // namespace

bool Reader::read_item(Value& v, Item& item, text::Arena& arena) {
  const auto pieces = [&](value& list) {
    return json::elements_of(list, [&](value& element) {
      auto& piece = item.pieces.emplace_back(false, std::string_view());
      return json::members_of(element, [&](raw_json_string key, value& text) {
        if (key == "text" || key == "refusal") {
          piece.text = json::text(text, arena);
          piece.refusal = key == "refusal";
        }
        return true;
      });
    });
  };
  return json::members_of(v, [&](raw_json_string key, value& field) {
    if (key == "type") {
      item.type = json::text(field, arena);
    } else if (key == "id") {
      item.id = json::text(field, arena);
    } else if (key == "call_id") {
      item.call_id = json::text(field, arena);
    } else if (key == "name") {
      item.name = json::text(field, arena);
    } else if (key == "arguments") {
      item.arguments = json::text(field, arena);
    } else if (key == "encrypted_content") {
      item.seal = json::text(field, arena);
    } else if (key == "status") {
      item.status = json::text(field, arena);
    } else if (key == "content" || key == "summary") {
      return pieces(field);
    }
    return true;
  });
}

bool Reader::begin_item(std::size_t index, const Item& item, EventSink& sink) {
  const bool fresh = index >= items_seen_;
  items_seen_ = std::max(items_seen_, index + 1);
  if (item.type != "function_call") {
    name_item(index, item);
    sink.emit(Other(item.type, fresh));
    return true;
  }
  const auto* const open = blocks_.find(wire(index, 0));
  if (open != nullptr && open->kind == BlockKind::tool) {
    sink.emit(Other(item.type, false));
    return true;
  }
  const auto* const call = blocks_.open(wire(index, 0), BlockKind::tool);
  if (call == nullptr) {
    return false;
  }
  called_ = said_ = true;
  sink.emit(ToolStart(call->block, item.call_id.empty() ? item.id : item.call_id, item.name));
  return true;
}

/// For what is said of it first: a client that is sent this answer anew wants the name before the text.
void Reader::name_item(std::size_t index, const Item& item) {
  const auto place = last_place(wire(index, 0));
  if (item.type == "reasoning" && !item.id.empty() && blocks_.find(place) == nullptr) {
    if (auto* const named = blocks_.open(place, BlockKind::other)) {
      named->id = item.id;
    }
  }
}

/// The whole item. What was said of it before is not said again.
bool Reader::end_item(std::size_t index, const Item& item, EventSink& sink) {
  const auto before = sink.size();
  const auto unsaid = [&](std::size_t at, BlockKind kind) {
    const auto* const open = blocks_.find(at);
    return open == nullptr || open->kind != kind || open->said == 0;
  };
  bool read = true;
  bool progress = false;
  if (item.type == "message") {
    for (std::size_t i = 0; i < item.pieces.size(); ++i) {
      const auto& piece = item.pieces[i];
      if (!piece.text.empty() && unsaid(wire(index, i), BlockKind::text)) {
        read = read && say(wire(index, i), BlockKind::text, piece.text, piece.refusal, sink);
      }
    }
  } else if (item.type == "reasoning") {
    name_item(index, item);
    if (unsaid(wire(index, 0), BlockKind::reasoning)) {
      for (const auto& piece : item.pieces) {
        if (!piece.text.empty()) {
          const bool first = sink.size() == before;
          read = read &&
                 (first || say(wire(index, 0), BlockKind::reasoning, paragraph, false, sink)) &&
                 say(wire(index, 0), BlockKind::reasoning, piece.text, false, sink);
        }
      }
    }
    if (!item.seal.empty()) {
      const auto* const open = opened(wire(index, 0), BlockKind::reasoning);
      read = read && open != nullptr;
      if (open != nullptr) {
        said_ = true;
        sink.emit(ReasoningSeal(open->block, ReasoningSeal::Kind::encrypted, item.seal, item.id));
      }
    }
  } else if (item.type == "function_call") {
    const auto* open = blocks_.find(wire(index, 0));
    if (open == nullptr || open->kind != BlockKind::tool) {
      read = begin_item(index, item, sink);
    }
    const bool none = item.arguments.empty() || item.arguments == "{}";
    if (read && !none && unsaid(wire(index, 0), BlockKind::tool)) {
      read = say(wire(index, 0), BlockKind::tool, item.arguments, false, sink);
    }
    auto* const call = blocks_.find(wire(index, 0));
    if (read && call != nullptr && call->ended) {
      sink.emit(Other(item.type, false));
      return true;
    }
    if (read && call != nullptr) {
      const auto verdict =
          none ? call->arguments.judge() : call->arguments.judge_by(item.arguments);
      const bool cut = item.status == "incomplete";
      if (verdict == CallArguments::Verdict::broken && !cut) {
        call->ended = true;
        sink.emit(Other(item.type, false));
        return true;
      }
      end_call(sink, *call, verdict, cut ? std::nullopt : std::optional(FinishReason::tool_use));
    }
  } else {
    called_ = called_ || item.type == "custom_tool_call";
    progress = true;
  }
  blocks_.close(wire(index, 0), last_place(wire(index, 0)));
  items_seen_ = std::max(items_seen_, index + 1);
  if (sink.size() == before) {
    sink.emit(Other(item.type, progress));
  }
  return read;
}

}  // namespace understudy::llm::detail::openai_responses
