#include "reader.hpp"

#include <algorithm>

#include "llm/error_body.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

}  // namespace

const char* Reader::read(std::string_view, std::string_view data, EventSink& sink) {
  if (is_done_marker(data)) {
    infer_finish(sink);
    settle(sink);
    sink.emit(End());
    return nullptr;
  }
  const char* const why = read_chunk(data, sink);
  if (why == nullptr && sink.empty()) {
    sink.emit(Other("chunk", false));
  }
  return why;
}

const char* Reader::read_whole(std::string_view body, EventSink& sink) {
  const char* const why = read_chunk(body, sink);
  if (why != nullptr) {
    return read_error_instead(body, why, sink);
  }
  if (finish_.empty() && !empty_reason_ && (sink.empty() || !said_)) {
    const bool failed = !sink.empty();  // an Error
    return failed ? nullptr
                  : read_error_instead(body, "the event has neither choices nor an error", sink);
  }
  if (!finish_.empty()) {
    settle(sink);
    sink.emit(End());
  }
  return nullptr;
}

const char* Reader::read_chunk(std::string_view data, EventSink& sink) {
  json::Parser parser(data, sink.arena());
  const auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  sink.document = parser.text();
  Chunk chunk;
  std::string_view created;
  said_now_ = false;
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
              chunk.object = true;
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
              created = v.raw_json_token();
              return true;
            }
            break;
          default: break;
        }
        auto copy = v;
        return read_member(key, copy, chunk, sink);
      })) {
    return json::malformed;
  }
  sink.model = chunk.model;
  chunk.failed = chunk.failed || chunk.other_object || (!chunk.choices && says_error(chunk.error));
  if (!started_ && !chunk.failed && (chunk.choices || !chunk.id.empty())) {
    started_ = true;
    keep_head(chunk, created);
    auto& arena = sink.arena();
    sink.emit_at(0, Start(json::unescaped(chunk.id, arena).value_or(chunk.id),
                          json::unescaped(chunk.model, arena).value_or(chunk.model)));
  }
  note_finish(chunk, sink);
  if (chunk.counted) {
    usage_beside_ = usage_beside_ || chunk.choices;
    sink.emit(usage_);
  }
  usage_alone_ = !chunk.choices && (usage_alone_ || chunk.counted);
  if (chunk.failed) {
    chunk.error.json = data;
    sink.emit(chunk.error);
  }
  if (sink.empty() && (chunk.advanced || chunk.other_choice)) {
    sink.emit(Other(chunk.advanced ? "prompt_progress" : "choice", true));
  }
  return nullptr;
}

bool Reader::read_member(raw_json_string key, value& v, Chunk& chunk, EventSink& sink) {
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
      } else if (key == "error_message") {  // DeepInfra: NousResearch/hermes-agent#65643
        chunk.failed = chunk.failed || !json::text(v, arena).empty();
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

bool Reader::read_choice(value& choice, Chunk& chunk, EventSink& sink) {
  if (!choice.raw_json_token().starts_with('{')) {
    return true;
  }
  json::ondemand::object object;
  value number;
  if (choice.get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  // Which choice it is may stand behind what it says. Most often it comes first.
  const auto unnumbered = object.find_field_unordered("index").get(number);
  if (unnumbered != simdjson::SUCCESS && unnumbered != simdjson::NO_SUCH_FIELD) {
    return false;
  }
  const auto index = unnumbered == simdjson::SUCCESS ? json::count(number).value_or(0) : 0;
  object.reset();
  std::optional<std::string_view> finish;
  const bool whole =
      json::members(object, [&](raw_json_string key, value& v) __attribute__((always_inline)) {
        if (key == "delta" || (key == "message" && !said_)) {
          // A message is a whole answer; at the end of a stream it repeats what was said.
          if (index > 0) {
            return true;
          }
          auto copy = v;
          return read_delta(copy, sink);
        }
        if (key == "finish_reason") {
          if (const auto reason = json::raw_string(v)) {
            finish = json::unescaped(*reason, sink.arena()).value_or(*reason);
            chunk.finish_value = {reason->data() - 1, reason->size() + 2};
          }
        } else if (key == "usage") {  // Moonshot
          auto copy = v;
          return read_usage(copy, chunk);
        } else if (key == "error" && !json::is_null(v)) {  // OpenRouter
          chunk.failed = true;
          auto copy = v;
          return read_error_member(key, copy, sink.arena(), chunk.error);
        }
        return true;
      });
  if (index > 0) {
    note_other(index, finish.has_value() && !finish->empty(), chunk);
  } else if (finish && !finish->empty() && !others_.empty()) {
    waiting_finish_ = *finish;
  } else if (finish) {
    chunk.finish = finish;
  }
  return whole;
}

/// A choice that we do not read. The answer's finish waits for it: the client may want it whole.
void Reader::note_other(std::size_t index, bool finished, Chunk& chunk) {
  chunk.other_choice = true;
  if (finished) {
    others_.erase(index);
    if (others_.empty() && !waiting_finish_.empty()) {
      chunk.finish = waiting_finish_;
    }
  } else if (others_.size() < OpenBlocks::most) {
    others_.insert(index);
  }
}

bool Reader::read_delta(value& delta, EventSink& sink) {
  auto& arena = sink.arena();
  bool reasoned = false;
  return json::members_of(delta, [&](raw_json_string key,
                                     value& member) __attribute__((always_inline)) {
    if (key == "content") {
      if (const auto raw = json::raw_string(member)) {
        const auto text = json::unescaped_piece(*raw, arena);
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
          const auto text = json::string_piece(v, arena).value_or(std::string_view());
          if (!reasoned && !text.empty()) {  // some send two with the same text
            reasoned = true;
            emit_reasoning(text, sink);
          }
        } else if (key == "reasoning_details") {
          return read_reasoning_details(v, reasoned, sink);
        } else if (key == "refusal") {
          const auto text = json::string_piece(v, arena).value_or(std::string_view());
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

void Reader::emit_text(std::string_view text, bool refusal, EventSink& sink) {
  const auto kind = refusal ? Writing::refusal : Writing::text;
  if (writing_ != kind) {
    writing_ = kind;
    block_ = calls_.number();
  }
  refused_ = refused_ || refusal;
  said_ = said_now_ = true;
  sink.emit(Text(block_, text, refusal));
}

void Reader::emit_reasoning(std::string_view text, EventSink& sink) {
  sink.emit(Reasoning(reasoning_block(), text));
}

std::size_t Reader::reasoning_block() {
  if (writing_ != Writing::reasoning) {
    writing_ = Writing::reasoning;
    block_ = calls_.number();
  }
  said_ = said_now_ = true;
  return block_;
}

}  // namespace understudy::llm::detail::openai_chat
