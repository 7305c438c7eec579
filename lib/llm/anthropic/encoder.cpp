#include "encoder.hpp"

#include <algorithm>
#include <array>

#include "llm/implied_start.hpp"
#include "llm/made_up_id.hpp"
#include "llm/raw_fields.hpp"
#include "llm/sse_frame.hpp"
#include "llm/written_finish.hpp"

namespace understudy::llm::detail::anthropic {
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

/// The types that the SDK knows (anthropic-sdk-typescript, src/resources/shared.ts), and what OpenAI calls the same.
struct ErrorWord {
  std::string_view said;
  std::string_view written;
};
constexpr std::array error_words{
    ErrorWord{"api_error", "api_error"},
    ErrorWord{"authentication_error", "authentication_error"},
    ErrorWord{"billing_error", "billing_error"},
    ErrorWord{"conflict_error", "conflict_error"},
    ErrorWord{"invalid_request_error", "invalid_request_error"},
    ErrorWord{"not_found_error", "not_found_error"},
    ErrorWord{"overloaded_error", "overloaded_error"},
    ErrorWord{"permission_error", "permission_error"},
    ErrorWord{"rate_limit_error", "rate_limit_error"},
    ErrorWord{"request_too_large", "request_too_large"},
    ErrorWord{"timeout_error", "timeout_error"},
    ErrorWord{"insufficient_quota", "billing_error"},
    ErrorWord{"rate_limit_exceeded", "rate_limit_error"},
    ErrorWord{"requests", "rate_limit_error"},
    ErrorWord{"tokens", "rate_limit_error"},
    ErrorWord{"service_unavailable_error", "overloaded_error"},
};

std::string_view error_word(std::string_view type) {
  const auto* const found = std::find_if(error_words.begin(), error_words.end(),
                                         [&](const ErrorWord& word) { return word.said == type; });
  return found == error_words.end() ? std::string_view("api_error") : found->written;
}

}  // namespace

void write_usage(JsonWriter& json, const Usage& usage) {
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

void write_stop(JsonWriter& json, std::string_view reason, std::string_view sequence) {
  json.key("stop_reason");
  reason.empty() ? json.null() : json.value(reason);
  json.key("stop_sequence");
  sequence.empty() ? json.null() : json.value(sequence);
}

void write_error(JsonWriter& json, const Error& error) {
  json.key("error").begin_object();
  json.member("type", error_word(error.type));
  json.member("message", error.message);
  if (!error.code.empty()) {
    json.key("details").begin_object().member("error_code", error.code).end_object();
  }
  json.end_object();
}

std::string_view stop_word(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "end_turn";
    case FinishReason::stop_sequence: return "stop_sequence";
    case FinishReason::length: return "max_tokens";
    case FinishReason::tool_use: return "tool_use";
    case FinishReason::refusal: return "refusal";
    case FinishReason::pause: return "pause_turn";
    case FinishReason::context_full: return "model_context_window_exceeded";
    case FinishReason::other: return "end_turn";  // another protocol's word would be unknown here
  }
  return "end_turn";
}

void Encoder::write(const Event& event, std::string& out) {
  if (!ended_) {
    if (!started_ && implies_start(event)) {
      put(Start(), out);
    }
    std::visit([&](const auto& body) { put(body, out); }, event.body);
  }
}

/// Of the provider's blocks only which one is open is to be known.
void Encoder::follow(const Event& event) {
  const auto& body = event.body;
  if (const auto* start = std::get_if<Start>(&body)) {
    begin(*start);
    begun_ = true;  // as the provider wrote it
  } else if (std::holds_alternative<Usage>(body) || std::holds_alternative<Finish>(body) ||
             std::holds_alternative<End>(body) || std::holds_alternative<Error>(body)) {
    write(event, followed_);
    finished_ = finished_ || std::holds_alternative<Finish>(body);  // as the provider wrote it
  }
  followed_.clear();
  adopt(event);
}

/// Blocks have the provider's own indices, and begin and end where its bytes say so.
void Encoder::adopt(const Event& event) {
  constexpr std::size_t most_blocks = 10'000;
  const auto index = raw_number(event.raw, R"("index")").value_or(most_blocks);
  if (index >= most_blocks) {
    return;
  }
  const auto says = [&](std::string_view quoted) {
    return event.raw.find(quoted) != std::string_view::npos;
  };
  if (says("\"content_block_stop\"")) {
    if (open_ && open_->wire == index) {
      open_.reset();
    }
    return;
  }
  next_ = std::max<std::size_t>(next_, index + 1);
  if (!open_ || open_->wire != index || says("\"content_block_start\"")) {
    const auto block = raw_object(event.raw, R"("content_block")");
    const auto type = raw_text(block, R"("type")");
    open_ = Open{std::nullopt, index,
                 type == "thinking"   ? Kind::thinking
                 : type == "text"     ? Kind::text
                 : type == "tool_use" ? Kind::tool
                                      : Kind::other};
  }
  const auto said_in = [&](std::size_t block, Kind kind) {
    open_->block = block;
    open_->kind = kind;
  };
  if (const auto* text = std::get_if<Text>(&event.body)) {
    said_in(text->block, Kind::text);
  } else if (const auto* reasoning = std::get_if<Reasoning>(&event.body)) {
    said_in(reasoning->block, Kind::thinking);
  } else if (const auto* seal = std::get_if<ReasoningSeal>(&event.body)) {
    said_in(seal->block,
            seal->kind == ReasoningSeal::Kind::redacted ? Kind::redacted : Kind::thinking);
    open_->sealed = true;
  } else if (const auto* call = std::get_if<ToolStart>(&event.body)) {
    called_ = true;
    said_in(call->block, Kind::tool);
  } else if (const auto* arguments = std::get_if<ToolArguments>(&event.body)) {
    said_in(arguments->block, Kind::tool);
  }
}

/// A new answer, of which nothing is known but this.
void Encoder::begin(const Start& start) {
  started_ = true;
  id_ = start.id.empty() ? made_up_id("msg_") : std::string(start.id);
  model_ = start.model;
  begun_ = false;
  finished_ = false;
  has_finish_ = false;
  called_ = false;
  ended_ = false;
  open_.reset();
  next_ = 0;
  waiting_.clear();
  calls_.clear();
  usage_ = Usage();
}

/// message_start waits for the Usage that may follow: it has the prompt's.
void Encoder::put(const Start& start, std::string& out) {
  if (started_) {  // spliced in: what was said cannot be taken back, so the answer continues
    begin_message(out);
    end_blocks(out);
    has_finish_ = false;
    return;
  }
  begin(start);
}

void Encoder::put(const Text& text, std::string& out) {
  if (text.text.empty()) {
    return;  // an empty block would be refused when it is sent back
  }
  if (in_call()) {
    waiting(text.block, Kind::text).text += text.text;
    return;
  }
  append_delta(out, index_of(text.block, Kind::text, out), "text_delta", "text", text.text);
}

void Encoder::put(const Reasoning& reasoning, std::string& out) {
  if (reasoning.text.empty()) {
    return;
  }
  if (in_call()) {
    waiting(reasoning.block, Kind::thinking).text += reasoning.text;
    return;
  }
  append_delta(out, index_of(reasoning.block, Kind::thinking, out), "thinking_delta", "thinking",
               reasoning.text);
}

void Encoder::put(const ReasoningSeal& seal, std::string& out) {
  switch (seal.kind) {
    case ReasoningSeal::Kind::signature:
      if (in_call()) {
        waiting(seal.block, Kind::thinking).signature = seal.data;
        break;
      }
      append_delta(out, index_of(seal.block, Kind::thinking, out), "signature_delta", "signature",
                   seal.data);
      open_->sealed = true;
      break;
    case ReasoningSeal::Kind::redacted:
      if (in_call()) {
        waiting(seal.block, Kind::redacted).id = seal.data;
        break;
      }
      open(seal.block, Kind::redacted, out, seal.data);
      break;
    case ReasoningSeal::Kind::encrypted:
    case ReasoningSeal::Kind::call: break;  // other protocols'
  }
}

void Encoder::put(const ToolStart& call, std::string& out) {
  called_ = true;
  if (in_call() && open_->block == call.block) {  // its end was not said
    end_call(false, out);
    write_waiting(out);
  }
  if (in_call()) {
    auto& later = waiting_.emplace_back(
        Waiting{call.block, Kind::tool, std::string(call.id), std::string(call.name), {}, {}, {}});
    calls_[call.block] = &later;
    return;
  }
  open(call.block, Kind::tool, out, call.id, call.name);
}

void Encoder::put(const ToolArguments& arguments, std::string& out) {
  if (in_call() && open_->block == arguments.block) {
    append_delta(out, open_->wire, "input_json_delta", "partial_json", arguments.json);
  } else if (const auto later = calls_.find(arguments.block); later != calls_.end()) {
    later->second->text += arguments.json;
  }
}

void Encoder::put(const ToolEnd& end, std::string& out) {
  if (in_call() && open_->block == end.block) {
    end_call(end.complete, out);
    write_waiting(out);
  } else if (const auto later = calls_.find(end.block); later != calls_.end()) {
    later->second->complete = end.complete;
  }
}

void Encoder::put(const Usage& usage, std::string& out) {
  usage_ = usage;
  begin_message(out);
}

/// message_delta waits for the Usage that may follow, and for End: an earlier Finish is replaced by a later one.
void Encoder::put(const Finish& finish, std::string& out) {
  begin_message(out);
  end_blocks(out);
  has_finish_ = true;
  stop_reason_ = stop_word(written_finish(finish.reason, called_));
  stop_sequence_ = finish.reason == FinishReason::stop_sequence ? finish.stop_sequence : "";
}

void Encoder::put(const End&, std::string& out) {
  if (!has_finish_) {
    return;  // a stream that ends without having finished is not a complete answer
  }
  end_blocks(out);
  finish_message(out);
  append_typed(out, "message_stop", [](JsonWriter&) {});
  ended_ = true;
}

/// Before the message only as a comment: its event has to be the first.
void Encoder::put(const Heartbeat&, std::string& out) {
  if (begun_) {
    append_typed(out, "ping", [](JsonWriter&) {});
  } else {
    append_comment(out);
  }
}

void Encoder::put(const Error& error, std::string& out) {
  if (started_) {
    begin_message(out);
  }
  append_typed(out, "error", [&](JsonWriter& json) { write_error(json, error); });
  ended_ = true;
}

void Encoder::begin_message(std::string& out) {
  if (begun_) {
    return;
  }
  begun_ = true;
  append_typed(out, "message_start", [&](JsonWriter& json) {
    json.key("message").begin_object();
    json.member("id", id_).member("type", "message").member("role", "assistant");
    json.member("model", model_).key("content").begin_array().end_array();
    write_stop(json, {}, {});
    auto usage = usage_;
    if (usage.input.value_or(0) == 0 && usage.cache_read.value_or(0) == 0) {
      usage.input = prompt_tokens_;  // 0 would blind agents that compact by it (claudex#10)
    }
    write_usage(json, usage);
    json.end_object();
  });
}

void Encoder::finish_message(std::string& out) {
  if (finished_) {
    return;
  }
  finished_ = true;
  append_typed(out, "message_delta", [&](JsonWriter& json) {
    json.key("delta").begin_object();
    write_stop(json, stop_reason_, stop_sequence_);
    json.end_object();
    write_usage(json, usage_);
  });
}

/// The open block's, if it is this one, or that of a new one.
std::size_t Encoder::index_of(std::size_t block, Kind kind, std::string& out) {
  if (open_ && open_->kind == kind && open_->block.value_or(block) == block && !open_->sealed) {
    open_->block = block;
    return open_->wire;
  }
  return open(block, kind, out);
}

std::size_t Encoder::open(std::size_t block, Kind kind, std::string& out, std::string_view data,
                          std::string_view name) {
  begin_message(out);
  close(out);
  const auto wire = next_++;
  open_ = Open{block, wire, kind};
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
      case Kind::other: break;  // never ours
    }
    json.end_object();
  });
  return wire;
}

void Encoder::close(std::string& out) {
  if (open_) {
    append_typed(out, "content_block_stop",
                 [&](JsonWriter& json) { json.member("index", open_->wire); });
    open_.reset();
  }
}

bool Encoder::in_call() const { return open_ && open_->kind == Kind::tool && !open_->cut; }

/// The block that is to be written later: the last one, if it is this one, or a new one.
Encoder::Waiting& Encoder::waiting(std::size_t block, Kind kind) {
  if (!waiting_.empty() && waiting_.back().block == block && waiting_.back().kind == kind) {
    return waiting_.back();
  }
  return waiting_.emplace_back(Waiting{block, kind, {}, {}, {}, {}, {}});
}

/// Also a call that was cut: at the token limit Anthropic stops its block too, and `stop_reason` says what happened.
void Encoder::end_blocks(std::string& out) {
  while (in_call()) {  // one that did not end was cut
    end_call(false, out);
    write_waiting(out);
  }
  close(out);
  calls_.clear();
}

/// A call that was cut is left open until something follows it, or a Finish: if it is an Error, some clients would
/// run the call if it were stopped.
void Encoder::end_call(bool complete, std::string& out) {
  if (complete) {
    close(out);
  } else {
    open_->cut = true;
  }
}

/// Until a call is open that has not ended.
void Encoder::write_waiting(std::string& out) {
  while (!waiting_.empty() && !in_call()) {
    const auto* const front = &waiting_.front();
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.kind == Kind::text && next.text.empty()) {
      continue;  // an empty block would be refused when it is sent back
    }
    const auto wire = open(next.block, next.kind, out, next.id, next.name);
    if (next.kind == Kind::tool) {
      if (const auto known = calls_.find(next.block);
          known != calls_.end() && known->second == front) {
        calls_.erase(known);
      }
      if (!next.text.empty()) {
        append_delta(out, wire, "input_json_delta", "partial_json", next.text);
      }
      if (next.complete) {
        end_call(*next.complete, out);
      }
    } else if (next.kind == Kind::text) {
      append_delta(out, wire, "text_delta", "text", next.text);
    } else if (next.kind == Kind::thinking) {
      if (!next.text.empty()) {
        append_delta(out, wire, "thinking_delta", "thinking", next.text);
      }
      if (!next.signature.empty()) {
        append_delta(out, wire, "signature_delta", "signature", next.signature);
        open_->sealed = true;
      }
    }
  }
}

}  // namespace understudy::llm::detail::anthropic
