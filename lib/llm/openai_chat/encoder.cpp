#include "encoder.hpp"

#include "llm/implied_start.hpp"
#include "llm/made_up_id.hpp"
#include "llm/openai_codec.hpp"
#include "llm/raw_fields.hpp"
#include "llm/sse_frame.hpp"
#include "llm/written_finish.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_chat {
void write_usage(JsonWriter& json, const Usage& usage) {
  const auto prompt =
      usage.input.value_or(0) + usage.cache_read.value_or(0) + usage.cache_write.value_or(0);
  const auto completion = usage.output.value_or(0);
  json.key("usage").begin_object();
  json.member("prompt_tokens", prompt).member("completion_tokens", completion);
  json.member("total_tokens", prompt + completion);
  if (usage.cache_read || usage.cache_write) {
    json.key("prompt_tokens_details").begin_object();
    json.member("cached_tokens", usage.cache_read.value_or(0));
    if (usage.cache_write) {
      json.member("cache_write_tokens", *usage.cache_write);
    }
    json.end_object();
  }
  if (usage.reasoning) {
    json.key("completion_tokens_details").begin_object();
    json.member("reasoning_tokens", *usage.reasoning).end_object();
  }
  json.end_object();
}

void Encoder::write(const Event& event, std::string& out) {
  if (!ended_) {
    if (!started_ && implies_start(event)) {
      put(Start(), out);
    }
    std::visit([&](const auto& body) { put(body, out); }, event.body);
  }
}

/// A delta leaves nothing open.
void Encoder::follow(const Event& event) {
  const auto& body = event.body;
  if (const auto* start = std::get_if<Start>(&body)) {
    begin(*start);
  } else if (const auto* arguments = std::get_if<ToolArguments>(&body)) {
    const auto call = calls_.find(arguments->block);
    if (call != calls_.end()) {
      call->second.has_arguments = call->second.has_arguments || !arguments->json.empty();
    }
  } else if (!std::holds_alternative<Text>(body) && !std::holds_alternative<Reasoning>(body)) {
    EventEncoder::follow(event);
  }
  finished_ = finished_ || std::holds_alternative<Finish>(body);  // as the provider wrote it
  if (std::holds_alternative<Start>(body)) {
    const std::chrono::seconds created(raw_number(event.raw, R"("created")").value_or(0));
    created_ = created.count() > 0 ? std::chrono::sys_seconds(created) : created_;
  }
  counted_ = counted_ && !std::holds_alternative<Usage>(body);  // as the provider wrote it
}

/// A new answer, of which nothing is known but this.
void Encoder::begin(const Start& start) {
  started_ = true;
  id_ = start.id.empty() ? made_up_id("chatcmpl-") : std::string(repeatable(start.id));
  model_ = repeatable(start.model);
  calls_.clear();
  next_call_ = 0;
  counted_ = false;
  finish_.reset();
  finished_ = ended_ = false;
}

void Encoder::put(const Start& start, std::string& out) {
  if (started_) {  // spliced in: what was said cannot be taken back, so the answer continues
    calls_.clear();
    finish_.reset();
    return;
  }
  begin(start);
  chunk(out, {}, [](JsonWriter& json) { json.member("role", "assistant").member("content", ""); });
}

void Encoder::put(const Text& text, std::string& out) {
  chunk(out, {},
        [&](JsonWriter& json) { json.member(text.refusal ? "refusal" : "content", text.text); });
}

void Encoder::put(const Reasoning& reasoning, std::string& out) {
  chunk(out, {}, [&](JsonWriter& json) { json.member("reasoning_content", reasoning.text); });
}

void Encoder::put(const ReasoningSeal& seal, std::string& out) {
  if (seal.kind == ReasoningSeal::Kind::call) {
    return;  // only the call itself has a place for it
  }
  const bool signature = seal.kind == ReasoningSeal::Kind::signature;
  chunk(out, {}, [&](JsonWriter& json) {
    json.key("reasoning_details").begin_array().begin_object();
    json.member("type", signature ? "reasoning.text" : "reasoning.encrypted");
    json.member(signature ? "signature" : "data", seal.data);
    if (!seal.id.empty()) {
      json.member("id", seal.id);
    }
    json.end_object().end_array();
  });
}

void Encoder::put(const ToolStart& call, std::string& out) {
  const auto index = next_call_++;
  const bool custom = call.form == ToolForm::custom;
  calls_.insert_or_assign(call.block, Call{index, custom, {}, false});
  const auto* const form = custom ? "custom" : "function";
  chunk(out, {}, [&](JsonWriter& json) {
    json.key("tool_calls").begin_array().begin_object();
    json.member("index", index).member("id", call.id).member("type", form);
    json.key(form).begin_object().member("name", call.name);
    json.member(custom ? "input" : "arguments", "");
    json.end_object().end_object().end_array();
  });
}

void Encoder::put(const ToolArguments& arguments, std::string& out) {
  const auto found = calls_.find(arguments.block);
  if (found != calls_.end()) {
    auto& call = found->second;
    say_arguments(call, call.custom ? call.input.add(arguments.json) : arguments.json, out);
  }
}

/// A call without arguments gets an empty object: Anthropic streams none (protocols.md 2.2), and clients parse what
/// they get.
void Encoder::put(const ToolEnd& end, std::string& out) {
  const auto found = calls_.find(end.block);
  if (found == calls_.end()) {
    return;
  }
  auto& call = found->second;
  if (call.custom) {
    say_arguments(call, call.input.end(), out);
  } else if (end.complete && !call.has_arguments) {
    say_arguments(call, "{}", out);
  }
  calls_.erase(found);
}

void Encoder::say_arguments(Call& call, std::string_view piece, std::string& out) {
  if (piece.empty()) {
    return;
  }
  call.has_arguments = true;
  chunk(out, {}, [&](JsonWriter& json) {
    json.key("tool_calls").begin_array().begin_object();
    json.member("index", call.index).key(call.custom ? "custom" : "function").begin_object();
    json.member(call.custom ? "input" : "arguments", piece);
    json.end_object().end_object().end_array();
  });
}

/// Waits for End: a chunk without choices in mid-answer is more than some clients expect.
void Encoder::put(const Usage& usage, std::string&) {
  usage_ = usage;
  counted_ = usage_wanted_;
}

void Encoder::put(const Finish& finish, std::string&) {
  finish_ = finish.reason;
  native_ = finish.native;
}

void Encoder::put(const End&, std::string& out) {
  if (!finish_) {
    return;  // a stream that ends without having finished is not a complete answer
  }
  if (!finished_) {
    const auto reason = written_finish(*finish_, next_call_ > 0);
    chunk(out, finish_word(reason, reason == *finish_ ? native_ : ""), [](JsonWriter&) {});
  }
  usage_chunk(out);
  out += "data: [DONE]\n\n";
  ended_ = true;
}

void Encoder::put(const Heartbeat&, std::string& out) { append_comment(out); }

void Encoder::put(const Error& error, std::string& out) {
  append_event(out, {}, [&](JsonWriter& json) { write_openai_error(json, error); });
  ended_ = true;
}

template <class WriteDelta>
void Encoder::chunk(std::string& out, std::string_view finish, WriteDelta delta) {
  append_event(out, {}, [&](JsonWriter& json) {
    begin_chunk(json);
    json.key("choices").begin_array().begin_object().member("index", 0);
    json.key("delta").begin_object();
    delta(json);
    json.end_object().key("finish_reason");
    finish.empty() ? json.null() : json.value(finish);
    json.end_object().end_array();
  });
}

void Encoder::usage_chunk(std::string& out) {
  if (!counted_) {
    return;
  }
  counted_ = false;
  append_event(out, {}, [&](JsonWriter& json) {
    begin_chunk(json);
    json.key("choices").begin_array().end_array();
    write_usage(json, usage_);
  });
}

/// What every chunk of an answer has in common.
void Encoder::begin_chunk(JsonWriter& json) const {
  json.member("id", id_).member("object", "chat.completion.chunk");
  json.member("created", created_.time_since_epoch().count()).member("model", model_);
}

}  // namespace understudy::llm::detail::openai_chat
