#include "chat_reader.hpp"

#include <array>

#include "chat_words.hpp"
#include "error_body.hpp"

namespace understudy::detail {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;
using Kind = OpenBlock::Kind;

constexpr const char* malformed = "malformed JSON";

}  // namespace

const char* ChatReader::read(std::string_view, std::string_view data, EventSink& sink) {
  if (data.substr(std::min(data.find_first_not_of(' '), data.size())).starts_with("[DONE]")) {
    if (!finished_ && empty_reason_) {
      Chunk chunk;
      emit_finish("stop", chunk, sink);
    }
    sink.emit(End());
    return nullptr;
  }
  const char* const why = read_chunk(data, sink);
  if (why == nullptr && sink.empty()) {
    sink.emit(Other("chunk", false));
  }
  return why;
}

const char* ChatReader::read_whole(std::string_view body, EventSink& sink) {
  const char* const why = read_chunk(body, sink);
  if (why != nullptr) {
    return why;
  }
  if (!finished_ && !empty_reason_ && (sink.empty() || !said_)) {
    const bool failed = !sink.empty();  // an Error
    return failed ? nullptr : "neither choices nor an error";
  }
  if (finished_) {
    sink.emit(End());
  }
  return nullptr;
}

const char* ChatReader::read_chunk(std::string_view data, EventSink& sink) {
  json::Parser parser(data, sink.arena());
  const auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  Chunk chunk;
  if (!json::members(*object, [&](raw_json_string key, value& v) __attribute__((always_inline)) {
        switch (*key.raw()) {
          case 'i':
            if (key == "id") {
              chunk.id = json::raw_string(v).value_or(std::string_view());
              return true;
            }
            break;
          case 'm':
            if (key == "model") {
              chunk.model = json::raw_string(v).value_or(std::string_view());
              return true;
            }
            break;
          case 'o':
            if (key == "object") {
              chunk.other_object = v.raw_json_token().starts_with("\"error\"");
              return true;
            }
            break;
          case 'u':
            if (key == "usage" && json::is_null(v)) {
              return true;
            }
            break;
          case 's': return true;  // service_tier, system_fingerprint
          case 'c':
            if (key == "created") {
              return true;
            }
            break;
          default: break;
        }
        auto copy = v;
        return read_member(key, copy, chunk, sink);
      })) {
    return malformed;
  }
  sink.model = chunk.model;
  chunk.failed = chunk.failed || chunk.other_object ||
                 (!chunk.choices && !(chunk.error.message.empty() && chunk.error.code.empty()));
  if (!started_ && !chunk.failed && (chunk.choices || !chunk.id.empty())) {
    started_ = true;
    auto& arena = sink.arena();
    sink.emit_at(0, Start(json::unescaped(chunk.id, arena).value_or(chunk.id),
                          json::unescaped(chunk.model, arena).value_or(chunk.model)));
  }
  if (chunk.finish && !chunk.failed) {
    empty_reason_ = chunk.finish->empty();
    emit_finish(*chunk.finish, chunk, sink);
  }
  if (chunk.counted) {
    sink.emit(usage_);
  }
  if (chunk.failed) {
    chunk.error.json = data;
    sink.emit(chunk.error);
  }
  if (sink.empty() && chunk.advanced) {
    sink.emit(Other("prompt_progress", true));
  }
  return nullptr;
}

bool ChatReader::read_member(raw_json_string key, value& v, Chunk& chunk, EventSink& sink) {
  auto& arena = sink.arena();
  switch (*key.raw()) {
    case 'c':
      if (key == "choices") {
        return json::elements_of(v, [&](value& choice) {
          chunk.choices = true;
          return read_choice(choice, chunk, sink);
        });
      }
      break;
    case 'u':
      if (key == "usage") {
        return read_usage(v, chunk);
      }
      break;
    case 'e':
      if (key == "error" && !json::is_null(v)) {
        chunk.failed = true;
      }
      break;
    case 'p':
      if (key == "prompt_progress") {  // llama.cpp
        return json::members_of(v, [&](raw_json_string k, value& progress) {
          const auto processed = k == "processed" ? json::count(progress) : std::nullopt;
          if (processed && *processed > prompt_processed_) {
            prompt_processed_ = *processed;
            chunk.advanced = true;
          }
          return true;
        });
      }
      break;
    case 'x':
      if (key == "x_groq") {
        return json::members_of(v, [&](raw_json_string k, value& inner) {
          if (k == "usage") {
            return read_usage(inner, chunk);
          }
          if (k == "error" && !json::is_null(inner)) {
            chunk.failed = true;
            return read_error_member(k, inner, arena, chunk.error);
          }
          return true;
        });
      }
      break;
    default: break;
  }
  if (!read_error_member(key, v, arena, chunk.error)) {
    return false;
  }
  chunk.failed = chunk.failed || chunk.error.type == "base_resp";
  return true;
}

bool ChatReader::read_choice(value& choice, Chunk& chunk, EventSink& sink) {
  const auto before = sink.size();
  bool other = false;
  std::optional<std::string_view> finish;
  const bool whole =
      json::members_of(choice, [&](raw_json_string key, value& v) __attribute__((always_inline)) {
        if (key == "delta") {
          auto copy = v;
          return read_delta(copy, sink);
        }
        if (key == "message") {  // a whole answer; at the end of a stream it repeats what was said
          auto copy = v;
          return said_ || read_delta(copy, sink);
        }
        if (key == "finish_reason") {
          if (const auto reason = json::raw_string(v)) {
            finish = json::unescaped(*reason, sink.arena()).value_or(*reason);
          }
        } else if (key == "index") {
          other = json::count(v).value_or(0) > 0;
        } else if (key == "usage") {  // Moonshot
          auto copy = v;
          return read_usage(copy, chunk);
        }
        return true;
      });
  if (other) {
    sink.take_back(before);
  } else if (finish) {
    chunk.finish = finish;
  }
  return whole;
}

bool ChatReader::read_delta(value& delta, EventSink& sink) {
  auto& arena = sink.arena();
  bool reasoned = false;
  return json::members_of(delta, [&](raw_json_string key,
                                     value& member) __attribute__((always_inline)) {
    if (key == "content") {
      if (const auto raw = json::raw_string(member)) {
        const auto text = json::unescaped(*raw, arena);
        if (text && !text->empty()) {
          emit_text(*text, false, sink);
        }
        return text.has_value();
      }
    }
    auto v = member;
    switch (*key.raw()) {
      case 'c': return key != "content" || read_content_parts(v, sink);
      case 'r':
        if (key == "reasoning_content" || key == "reasoning" || key == "reasoning_text") {
          const auto text = json::text(v, arena);
          if (!reasoned && !text.empty()) {  // some send two with the same text
            reasoned = true;
            emit_reasoning(text, sink);
          }
        } else if (key == "reasoning_details") {
          return read_reasoning_details(v, reasoned, sink);
        } else if (key == "refusal") {
          const auto text = json::text(v, arena);
          if (!text.empty()) {
            emit_text(text, true, sink);
          }
        }
        break;
      case 't':
        if (key == "tool_calls") {
          return json::elements_of(v, [&](value& call) { return read_call(call, sink); });
        }
        break;
      case 'f':
        if (key == "function_call") {  // what calls were before there could be several
          std::string_view name;
          std::string_view arguments;
          return read_function(v, name, arguments, arena) &&
                 ((name.empty() && arguments.empty()) || emit_call(0, {}, name, arguments, sink));
        }
        break;
      default: break;
    }
    return true;
  });
}

/// Mistral's list of text and thinking; anything else says nothing.
bool ChatReader::read_content_parts(value& content, EventSink& sink) {
  auto& arena = sink.arena();
  return json::elements_of(content, [&](value& part) {
    return json::members_of(part, [&](raw_json_string key, value& v) {
      if (key == "text") {
        emit_text(json::text(v, arena), false, sink);
      } else if (key == "thinking") {
        return json::elements_of(v, [&](value& thought) {
          return json::members_of(thought, [&](raw_json_string k, value& text) {
            if (k == "text") {
              emit_reasoning(json::text(text, arena), sink);
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
bool ChatReader::read_reasoning_details(value& details, bool has_text, EventSink& sink) {
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

bool ChatReader::read_call(value& call, EventSink& sink) {
  auto& arena = sink.arena();
  std::optional<std::size_t> index;
  std::string_view id;
  std::string_view name;
  std::string_view arguments;
  return json::members_of(call,
                          [&](raw_json_string key, value& v) {
                            if (key == "index") {
                              index = json::count(v);
                            } else if (key == "id") {
                              id = json::text(v, arena);
                            } else if (key == "function") {
                              return read_function(v, name, arguments, arena);
                            }
                            return true;
                          }) &&
         emit_call(index, id, name, arguments, sink);
}

bool ChatReader::read_function(value& function, std::string_view& name, std::string_view& arguments,
                               Arena& arena) {
  return json::members_of(function, [&](raw_json_string key, value& v) {
    if (key == "name") {
      name = json::text(v, arena);
    } else if (key == "arguments") {
      if (v.raw_json_token().starts_with('{')) {  // an object where a string belongs
        arguments = json::raw(v);
        return !arguments.empty();
      }
      const auto text = json::string(v, arena);
      arguments = text.value_or(std::string_view());
      return text || !v.raw_json_token().starts_with('"');
    }
    return true;
  });
}

/// A fragment of a call. Without an index, or with one that several calls share, the id decides.
bool ChatReader::emit_call(std::optional<std::size_t> index, std::string_view id,
                           std::string_view name, std::string_view arguments, EventSink& sink) {
  OpenBlock* call = index        ? calls_.find(*index)
                    : id.empty() ? calls_.latest()
                                 : calls_.find_if([&](const OpenBlock& b) { return b.id == id; });
  const bool another = call != nullptr && !id.empty() && !name.empty() && call->id != id;
  if (call == nullptr || another) {
    call = calls_.open(index.value_or(calls_.size()), Kind::tool);
    if (call == nullptr) {
      return false;
    }
    call->id = id;
    sink.emit(ToolStart(call->block, id, name));
    writing_ = Writing::nothing;
    said_ = true;
  }
  if (!arguments.empty()) {
    call->arguments.add(arguments);
    sink.emit(ToolArguments(call->block, arguments));
  }
  return true;
}

bool ChatReader::read_usage(value& usage, Chunk& chunk) {
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

void ChatReader::emit_text(std::string_view text, bool refusal, EventSink& sink) {
  const auto kind = refusal ? Writing::refusal : Writing::text;
  if (writing_ != kind) {
    writing_ = kind;
    block_ = calls_.number();
  }
  refused_ = refused_ || refusal;
  said_ = true;
  sink.emit(Text(block_, text, refusal));
}

void ChatReader::emit_reasoning(std::string_view text, EventSink& sink) {
  sink.emit(Reasoning(reasoning_block(), text));
}

std::size_t ChatReader::reasoning_block() {
  if (writing_ != Writing::reasoning) {
    writing_ = Writing::reasoning;
    block_ = calls_.number();
  }
  said_ = true;
  return block_;
}

void ChatReader::emit_finish(std::string_view reason, Chunk& chunk, EventSink& sink) {
  if (finished_ || reason.empty()) {
    return;
  }
  if (chat_failure(reason)) {
    chunk.failed = true;
    chunk.error.type = reason;
    return;
  }
  finished_ = true;
  auto neutral = chat_finish(reason);
  if (neutral == FinishReason::stop) {
    neutral = calls_.any_tool() ? FinishReason::tool_use
              : refused_        ? FinishReason::refusal
                                : FinishReason::stop;
  }
  const bool in_full = neutral == FinishReason::tool_use;
  calls_.end_all(sink, [&](const OpenBlock& call) {
    return call.arguments.whole() || (in_full && call.arguments.empty());
  });
  sink.emit(Finish(neutral, reason));
}

}  // namespace understudy::detail
