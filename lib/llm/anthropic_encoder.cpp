#include "anthropic_encoder.hpp"

#include <algorithm>

#include "raw_fields.hpp"
#include "sse_frame.hpp"

namespace understudy::detail {
namespace {

/// An event whose JSON begins with its type, as all of Anthropic's do.
template <class Write>
void append_typed(std::string& out, std::string_view type, Write write) {
  append_event(out, type, [&](JsonWriter& json) {
    json.member("type", type);
    write(json);
  });
}

void append_delta(std::string& out, std::size_t index, std::string_view type, std::string_view key,
                  std::string_view payload) {
  append_typed(out, "content_block_delta", [&](JsonWriter& json) {
    json.member("index", index).key("delta").begin_object();
    json.member("type", type).member(key, payload).end_object();
  });
}

}  // namespace

void write_anthropic_usage(JsonWriter& json, const Usage& usage) {
  const auto member = [&](std::string_view name, const std::optional<std::uint64_t>& count) {
    if (count) {
      json.member(name, *count);
    }
  };
  json.key("usage").begin_object();
  json.member("input_tokens", usage.input.value_or(0));  // the SDKs demand these two
  json.member("output_tokens", usage.output.value_or(0));
  member("cache_creation_input_tokens", usage.cache_write);
  member("cache_read_input_tokens", usage.cache_read);
  if (usage.reasoning) {
    json.key("output_tokens_details").begin_object();
    json.member("thinking_tokens", *usage.reasoning).end_object();
  }
  json.end_object();
}

void write_anthropic_stop(JsonWriter& json, std::string_view reason, std::string_view sequence) {
  json.key("stop_reason");
  reason.empty() ? json.null() : json.value(reason);
  json.key("stop_sequence");
  sequence.empty() ? json.null() : json.value(sequence);
}

void write_anthropic_error(JsonWriter& json, const Error& error) {
  json.key("error").begin_object();
  json.member("type", error.type.empty() ? std::string_view("api_error") : error.type);
  json.member("message", error.message);
  if (!error.code.empty()) {
    json.key("details").begin_object().member("error_code", error.code).end_object();
  }
  json.end_object();
}

std::string_view anthropic_stop_reason(FinishReason reason, std::string_view native) {
  switch (reason) {
    case FinishReason::stop: return "end_turn";
    case FinishReason::stop_sequence: return "stop_sequence";
    case FinishReason::length: return "max_tokens";
    case FinishReason::tool_use: return "tool_use";
    case FinishReason::refusal: return "refusal";
    case FinishReason::pause: return "pause_turn";
    case FinishReason::context_full: return "model_context_window_exceeded";
    case FinishReason::other: return native;
  }
  return native;
}

void AnthropicEncoder::write(const Event& event, std::string& out) {
  std::visit([&](const auto& body) { put(body, out); }, event.body);
}

/// Of a delta only the block that it opens.
void AnthropicEncoder::follow(const Event& event) {
  const auto were_open = open_.size();
  const auto were_begun = next_;
  if (const auto* text = std::get_if<Text>(&event.body)) {
    index_of(text->block, Kind::text, passed_);
  } else if (const auto* reasoning = std::get_if<Reasoning>(&event.body)) {
    index_of(reasoning->block, Kind::thinking, passed_);
  } else if (const auto* arguments = std::get_if<ToolArguments>(&event.body)) {
    index_of(arguments->block, Kind::tool, passed_);
  } else {
    write(event, passed_);
  }
  passed_.clear();
  finished_ = finished_ || std::holds_alternative<Finish>(event.body);  // as the provider wrote it
  // Blocks have the provider's own indices, and end where it ends them.
  constexpr std::size_t most_blocks = 10'000;
  const auto index = raw_number(event.raw, R"("index")").value_or(most_blocks);
  if (index >= most_blocks) {
    return;
  }
  if (open_.size() > were_open) {
    open_.back().wire = index;
  }
  next_ = std::max<std::size_t>(were_begun, index + 1);
  if (event.raw.find("\"content_block_stop\"") != std::string_view::npos) {
    std::erase_if(open_, [&](const Open& one) { return one.wire == index; });
  }
}

/// Waits for the Usage that may follow: message_start has the prompt's.
void AnthropicEncoder::put(const Start& start, std::string&) {
  id_ = start.id;
  model_ = start.model;
  begun_ = false;
  finished_ = false;
  has_finish_ = false;
  open_.clear();
  next_ = 0;
  usage_ = Usage();
}

void AnthropicEncoder::put(const Text& text, std::string& out) {
  append_delta(out, index_of(text.block, Kind::text, out), "text_delta", "text", text.text);
}

void AnthropicEncoder::put(const Reasoning& reasoning, std::string& out) {
  append_delta(out, index_of(reasoning.block, Kind::thinking, out), "thinking_delta", "thinking",
               reasoning.text);
}

void AnthropicEncoder::put(const ReasoningSeal& seal, std::string& out) {
  switch (seal.kind) {
    case ReasoningSeal::Kind::signature:
      append_delta(out, index_of(seal.block, Kind::thinking, out), "signature_delta", "signature",
                   seal.data);
      break;
    case ReasoningSeal::Kind::redacted:
      close_written(out);
      open(seal.block, Kind::redacted, out, seal.data);
      break;
    case ReasoningSeal::Kind::encrypted: break;  // another protocol's
  }
}

void AnthropicEncoder::put(const ToolStart& call, std::string& out) {
  close_written(out);
  open(call.block, Kind::tool, out, call.id, call.name);
}

void AnthropicEncoder::put(const ToolArguments& arguments, std::string& out) {
  append_delta(out, index_of(arguments.block, Kind::tool, out), "input_json_delta", "partial_json",
               arguments.json);
}

/// A call that was cut is left open, as Anthropic leaves it.
void AnthropicEncoder::put(const ToolEnd& end, std::string& out) {
  std::erase_if(open_, [&](const Open& o) {
    if (o.block != end.block || o.kind != Kind::tool) {
      return false;
    }
    if (end.complete) {
      append_typed(out, "content_block_stop",
                   [&](JsonWriter& json) { json.member("index", o.wire); });
    }
    return true;
  });
}

void AnthropicEncoder::put(const Usage& usage, std::string& out) {
  usage_ = usage;
  if (!begun_) {
    begin_message(out);
  } else if (has_finish_) {
    finish_message(out);
  }
}

/// Waits for the Usage that may follow, or for End.
void AnthropicEncoder::put(const Finish& finish, std::string& out) {
  begin_message(out);
  close_written(out);
  has_finish_ = true;
  stop_reason_ = anthropic_stop_reason(finish.reason, finish.native);
  stop_sequence_ = finish.stop_sequence;
}

void AnthropicEncoder::put(const End&, std::string& out) {
  begin_message(out);
  finish_message(out);
  append_typed(out, "message_stop", [](JsonWriter&) {});
}

/// Before the message only as a comment: its event has to be the first.
void AnthropicEncoder::put(const Heartbeat&, std::string& out) {
  if (begun_) {
    append_typed(out, "ping", [](JsonWriter&) {});
  } else {
    append_comment(out);
  }
}

void AnthropicEncoder::put(const Error& error, std::string& out) {
  if (!id_.empty()) {
    begin_message(out);
  }
  append_typed(out, "error", [&](JsonWriter& json) { write_anthropic_error(json, error); });
}

void AnthropicEncoder::begin_message(std::string& out) {
  if (begun_) {
    return;
  }
  begun_ = true;
  append_typed(out, "message_start", [&](JsonWriter& json) {
    json.key("message").begin_object();
    json.member("id", id_).member("type", "message").member("role", "assistant");
    json.member("model", model_).key("content").begin_array().end_array();
    write_anthropic_stop(json, {}, {});
    write_anthropic_usage(json, usage_);
    json.end_object();
  });
}

void AnthropicEncoder::finish_message(std::string& out) {
  if (finished_ || !has_finish_) {
    return;
  }
  finished_ = true;
  append_typed(out, "message_delta", [&](JsonWriter& json) {
    json.key("delta").begin_object();
    write_anthropic_stop(json, stop_reason_, stop_sequence_);
    json.end_object();
    write_anthropic_usage(json, usage_);
  });
}

std::size_t AnthropicEncoder::index_of(std::size_t block, Kind kind, std::string& out) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Open& o) {
    return o.block == block && o.kind == kind;
  });
  if (found != open_.end()) {
    return found->wire;
  }
  close_written(out);
  return open(block, kind, out);
}

std::size_t AnthropicEncoder::open(std::size_t block, Kind kind, std::string& out,
                                   std::string_view data, std::string_view name) {
  begin_message(out);
  const auto wire = next_++;
  open_.push_back({block, wire, kind});
  append_typed(out, "content_block_start", [&](JsonWriter& json) {
    json.member("index", wire).key("content_block").begin_object();
    switch (kind) {
      case Kind::text: json.member("type", "text").member("text", ""); break;
      case Kind::thinking:
        json.member("type", "thinking").member("thinking", "").member("signature", "");
        break;
      case Kind::redacted: json.member("type", "redacted_thinking").member("data", data); break;
      case Kind::tool:
        json.member("type", "tool_use").member("id", data).member("name", name);
        json.key("input").begin_object().end_object();
        break;
    }
    json.end_object();
  });
  return wire;
}

/// Everything but tool calls, which end by themselves.
void AnthropicEncoder::close_written(std::string& out) {
  std::erase_if(open_, [&](const Open& o) {
    if (o.kind != Kind::tool) {
      append_typed(out, "content_block_stop",
                   [&](JsonWriter& json) { json.member("index", o.wire); });
    }
    return o.kind != Kind::tool;
  });
}

}  // namespace understudy::detail
