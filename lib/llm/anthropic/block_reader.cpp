// The blocks of an answer: begun, gone on with, and ended.
#include "reader.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

using json::ondemand::raw_json_string;
using BlockKind = OpenBlock::Kind;

}  // namespace

/// A block's begin, which for some blocks is all of it.
bool Reader::read_block_start(std::size_t index, Value& block, EventSink& sink) {
  auto& arena = sink.arena();
  std::string_view type;
  std::string_view text;  // `text` or `thinking`
  std::string_view data;  // `data` or `signature`
  std::string_view id;
  std::string_view name;
  std::string_view input;
  if (!json::members_of(block, [&](raw_json_string key, Value& v) {
        if (key == "type") {
          type = json::text(v, arena);
        } else if (key == "text" || key == "thinking") {
          text = json::text(v, arena);
        } else if (key == "data" || key == "signature") {
          data = json::text(v, arena);
        } else if (key == "id") {
          id = json::text(v, arena);
        } else if (key == "name") {
          name = json::text(v, arena);
        } else if (key == "input") {
          input = json::raw(v);
          return !input.empty();
        }
        return true;
      })) {
    return false;
  }
  const bool redacted = type == "redacted_thinking";
  const auto kind = type == "text"                   ? BlockKind::text
                    : type == "thinking" || redacted ? BlockKind::reasoning
                    : type == "tool_use"             ? BlockKind::tool
                                                     : BlockKind::other;
  const bool fresh = index >= indices_seen_;
  if (OpenBlock* const unended = blocks_.find(index);
      unended != nullptr && unended->kind == BlockKind::tool) {
    end_call(sink, *unended, unended->arguments.judge(), FinishReason::tool_use);
  }
  blocks_.close(index);
  OpenBlock* const open = opened(index, kind);
  if (open == nullptr) {
    return false;
  }
  if (kind == BlockKind::tool) {
    sink.emit(ToolStart(open->block, id, name));
    if (!input.empty() && input != "{}" && input != "null") {
      open->arguments.add(input);
      sink.emit(ToolArguments(open->block, input));
    }
    return true;
  }
  if (kind == BlockKind::text && !text.empty()) {
    sink.emit(Text(open->block, text));
  } else if (kind == BlockKind::reasoning && !text.empty()) {
    sink.emit(Reasoning(open->block, text));
  }
  if (kind == BlockKind::reasoning && !data.empty()) {
    sink.emit(ReasoningSeal(
        open->block, redacted ? ReasoningSeal::Kind::redacted : ReasoningSeal::Kind::signature,
        data));
  }
  if (sink.empty()) {
    sink.emit(Other(type, fresh));
  }
  return true;
}

bool Reader::read_delta(std::size_t index, Value& delta, EventSink& sink) {
  auto& arena = sink.arena();
  std::string_view type;
  std::string_view payload;
  bool counted = false;
  if (!json::members_of(delta, [&](raw_json_string key, Value& v) __attribute__((always_inline)) {
        if (key == "type") {
          type = json::text(v, arena);
        } else if (key == "text" || key == "partial_json" || key == "thinking" ||
                   key == "signature") {
          const auto said = json::string_piece(v, arena);
          payload = said.value_or(std::string_view());
          return said || json::is_null(v);
        } else if (key == "estimated_tokens") {
          counted = json::count(v).value_or(0) > 0;
        }
        return true;
      })) {
    return false;
  }
  const auto kind = type == "text_delta"                                    ? BlockKind::text
                    : type == "input_json_delta"                            ? BlockKind::tool
                    : type == "thinking_delta" || type == "signature_delta" ? BlockKind::reasoning
                                                                            : BlockKind::other;
  OpenBlock* const open = kind == BlockKind::other ? nullptr : opened(index, kind);
  if (open == nullptr || open->kind != kind) {
    sink.emit(Other(type, true));
  } else if (kind == BlockKind::text) {
    sink.emit(Text(open->block, payload));
  } else if (kind == BlockKind::tool) {
    open->arguments.add(payload);
    sink.emit(ToolArguments(open->block, payload));
  } else if (type == "signature_delta") {
    sink.emit(ReasoningSeal(open->block, ReasoningSeal::Kind::signature, payload));
  } else if (payload.empty()) {
    sink.emit(Other(type, counted));
  } else {
    sink.emit(Reasoning(open->block, payload));
  }
  return true;
}

void Reader::read_block_stop(std::size_t index, EventSink& sink) {
  OpenBlock* const open = blocks_.find(index);
  if (open != nullptr && open->kind == BlockKind::tool && !open->ended) {
    const auto verdict = open->arguments.judge();
    if (verdict == CallArguments::Verdict::broken) {
      open->ended = true;
      sink.emit(Other("content_block_stop", false));
      return;
    }
    end_call(sink, *open, verdict, FinishReason::tool_use);
  } else {
    sink.emit(Other("content_block_stop", false));
    if (open != nullptr && open->ended) {
      return;
    }
  }
  blocks_.close(index);
}

/// The block of that index. One whose begin was not seen begins here: some servers leave it out.
OpenBlock* Reader::opened(std::size_t index, BlockKind kind) {
  OpenBlock* const known = blocks_.find(index);
  indices_seen_ = std::max(indices_seen_, index + 1);
  return known != nullptr ? known : blocks_.open(index, kind);
}

}  // namespace understudy::llm::detail::anthropic
