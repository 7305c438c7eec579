// What an answer used, and how it ended.
#include "llm/finish_words.hpp"
#include "reader.hpp"
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

void Reader::emit_finish(std::string_view reason, Chunk& chunk, EventSink& sink) {
  if (finished_ || reason.empty()) {
    return;
  }
  if (is_failure(reason)) {
    chunk.failed = true;
    chunk.error.type = reason;
    if (chunk.error.message.empty()) {
      chunk.error.message = failure_message(reason, sink.arena());
    }
    return;
  }
  finished_ = true;
  auto neutral = finish_of(reason);
  if (neutral == FinishReason::stop) {
    neutral = calls_.any_tool() ? FinishReason::tool_use
              : refused_        ? FinishReason::refusal
                                : FinishReason::stop;
  }
  const bool in_full = neutral == FinishReason::tool_use;
  calls_.end_all(sink, [&](const OpenBlock& call) {
    return call.arguments.whole() || (in_full && call.arguments.empty());
  });
  latest_ = nullptr;
  by_id_.clear();
  sink.emit(Finish(neutral, reason));
}

}  // namespace understudy::llm::detail::openai_chat
