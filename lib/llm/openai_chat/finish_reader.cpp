// What an answer used, and how it ended.
#include "llm/finish_words.hpp"
#include "reader.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

}  // namespace

bool Reader::read_usage(value& usage, Chunk& chunk) {
  std::optional<std::uint64_t> prompt;
  std::optional<std::uint64_t> completion;
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> cached;
  std::optional<std::uint64_t> written;
  std::optional<std::uint64_t> reasoning;
  bool any = false;
  const auto details = [&](raw_json_string key, value& v) {
    if (key == "cached_tokens") {
      cached = json::count(v);
    } else if (key == "cache_write_tokens") {
      written = json::count(v);
    } else if (key == "reasoning_tokens") {
      reasoning = json::count(v);
    }
    return true;
  };
  const bool whole = json::members_of(usage, [&](raw_json_string key, value& v) {
    any = true;
    if (key == "prompt_tokens") {
      prompt = json::count(v);
    } else if (key == "completion_tokens") {
      completion = json::count(v);
    } else if (key == "total_tokens") {
      total = json::count(v);
    } else if (key == "prompt_tokens_details" || key == "completion_tokens_details") {
      return json::members_of(v, details);
    } else if (key == "prompt_cache_hit_tokens") {  // DeepSeek
      cached = cached ? cached : json::count(v);
    }
    return true;
  });
  if (any && whole) {
    const auto of_cache = cached.value_or(0) + written.value_or(0);
    usage_ = Usage();
    usage_.input = prompt && *prompt >= of_cache ? std::optional(*prompt - of_cache) : prompt;
    usage_.cache_read = cached;
    usage_.cache_write = written;
    usage_.reasoning = reasoning;
    // xAI's completion tokens are without the reasoning ones.
    const bool apart = prompt && completion && reasoning && total && *reasoning > 0 &&
                       *total == *prompt + *completion + *reasoning;
    usage_.output = apart ? std::optional(*completion + *reasoning) : completion;
    chunk.counted = true;
  }
  return whole;
}

/// A finish is held: what follows confirms it or takes it back. Some servers report `stop` with every chunk.
void Reader::note_finish(Chunk& chunk, EventSink& sink) {
  if (said_now_ && !finish_.empty()) {
    finish_.clear();
    doubtful_ = true;
  }
  // Usage comes once everything is said, where it does not come all the time.
  doubtful_ = doubtful_ && !(chunk.counted && !said_now_ && !usage_beside_);
  if (!chunk.finish || chunk.failed) {
    return;
  }
  empty_reason_ = chunk.finish->empty();
  if (empty_reason_) {
    return;
  }
  if (!finish_of(*chunk.finish)) {
    chunk.failed = true;
    chunk.error.type = *chunk.finish;
    if (chunk.error.message.empty()) {
      chunk.error.message = failure_message(*chunk.finish, sink.arena());
    }
    return;
  }
  finish_ = *chunk.finish;
  sink.reports_finish = true;
  doubtful_ = doubtful_ || said_now_;
  if (!sink.empty()) {
    sink.finish_value = chunk.finish_value;
    write_finish_frame(sink);
  }
}

void Reader::keep_head(const Chunk& chunk, std::string_view created) {
  constexpr std::size_t longest = 512;  // of a name: it is only for looks
  JsonWriter json(head_);
  json.begin_object();
  const auto member = [&](std::string_view name, std::string_view inside) {
    if (!inside.empty() && inside.size() <= longest) {
      json.key(name).raw("\"" + std::string(inside) + "\"");
    }
  };
  member("id", chunk.id);
  if (chunk.object) {
    json.member("object", "chat.completion.chunk");
  }
  if (const auto seconds = json::count(created)) {
    json.member("created", *seconds);
  }
  member("model", chunk.model);
}

/// The finish alone, in a chunk that looks like the others.
void Reader::write_finish_frame(EventSink& sink) const {
  std::string choice;
  JsonWriter json(choice);
  json.begin_object().member("index", 0).key("delta").begin_object().end_object();
  json.member("finish_reason", finish_).end_object();
  const auto* const comma = head_.size() > 1 ? "," : "";
  sink.finish_frame = sink.keep("data: " + head_ + comma + R"("choices":[)" + choice + "]}\n\n");
}

HeldFinish Reader::held() const noexcept {
  return finish_.empty() || settled_ ? HeldFinish::none
         : doubtful_                 ? HeldFinish::doubtful
                                     : HeldFinish::sure;
}

/// At `[DONE]`, of an answer whose finish was not reported. Text alone proves nothing: usage that comes last of all, in
/// a stream that has none elsewhere, does. (Gemini-compatible servers, ik_llama, kubeai, and vLLM with continuous
/// usage have it beside content: ogx#5122, cline#10148, kubeai#283, pydantic-ai#4056.)
void Reader::infer_finish(EventSink& sink) {
  if (!finish_.empty() || settled_) {
    return;
  }
  if (!waiting_finish_.empty()) {
    finish_ = waiting_finish_;
    return;
  }
  const bool calls = calls_.any_tool();
  if (calls ? calls_.whole_calls() : said_ && usage_alone_ && !usage_beside_) {
    finish_ = calls ? "tool_calls" : "stop";
    inferred_ = true;
  } else if (empty_reason_ && !calls) {
    finish_ = "stop";
  }
  if (!finish_.empty()) {
    write_finish_frame(sink);
  }
}

FinishReason Reader::finish_reason() const {
  const auto reason = finish_of(finish_).value_or(FinishReason::other);
  return reason != FinishReason::stop ? reason
         : called_                    ? FinishReason::tool_use
         : refused_                   ? FinishReason::refusal
                                      : FinishReason::stop;
}

void Reader::settle(EventSink& sink) {
  if (finish_.empty() || settled_) {
    return;
  }
  settled_ = true;
  const auto reason = finish_reason();
  calls_.end_all(sink, reason);
  latest_ = nullptr;
  by_id_.clear();
  Finish finish(reason, sink.keep(finish_));
  finish.inferred = inferred_;
  sink.emit(finish);
}

}  // namespace understudy::llm::detail::openai_chat
