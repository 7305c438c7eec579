#include "reader.hpp"

#include "llm/error_body.hpp"
#include "llm/finish_words.hpp"
#include "words.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

using json::ondemand::raw_json_string;

/// The value of a member, or nothing. False if the object is malformed: it must not be touched again.
bool find(json::ondemand::object& object, std::string_view name,
          std::optional<json::ondemand::value>& into) {
  json::ondemand::value value;
  const auto failure = object.find_field_unordered(name).get(value);
  if (failure == simdjson::SUCCESS) {
    into = value;
  }
  return failure == simdjson::SUCCESS || failure == simdjson::NO_SUCH_FIELD;
}

/// Of the changes that the service made to the request, those that took reasoning away.
bool count_dropped(json::ondemand::value& changes, std::size_t& dropped) {
  return json::elements_of(changes, [&](json::ondemand::value& change) {
    return json::members_of(change, [&](raw_json_string key, json::ondemand::value& v) {
      dropped += key == "type" && json::raw_string(v) == "thinking_dropped" ? 1U : 0U;
      return true;
    });
  });
}

}  // namespace

const char* Reader::read(std::string_view name, std::string_view data, EventSink& sink) {
  data_ = data;
  if (is_done_marker(data)) {
    settle(sink);
    sink.emit(End());
    return nullptr;
  }
  json::Parser parser(data, sink.arena());
  auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  std::optional<Value> type_value;
  if (!find(*object, "type", type_value)) {
    return json::malformed;
  }
  const auto type = type_value ? json::text(*type_value, sink.arena()) : name;
  if (type == "content_block_delta" || type == "content_block_start" ||
      type == "content_block_stop") {
    std::optional<Value> index_value;
    if (!find(*object, "index", index_value)) {
      return json::malformed;
    }
    const auto index = index_value ? json::count(*index_value) : std::nullopt;
    if (!index) {
      return "the block has no index";
    }
    if (type == "content_block_stop") {
      read_block_stop(*index, sink);
      return nullptr;
    }
    const bool start = type == "content_block_start";
    take_back_finish();
    std::optional<Value> body;
    if (!find(*object, start ? "content_block" : "delta", body) || !body) {
      return json::malformed;
    }
    const bool read =
        start ? read_block_start(*index, *body, sink) : read_delta(*index, *body, sink);
    return read && !sink.empty() ? nullptr : json::malformed;
  }
  if (type == "ping") {
    sink.emit(Heartbeat());
  } else if (type == "message_start") {
    std::optional<Value> message;
    Object inner;
    return find(*object, "message", message) && message &&
                   message->get_object().get(inner) == simdjson::SUCCESS &&
                   read_message(inner, sink, false)
               ? nullptr
               : json::malformed;
  } else if (type == "message_delta") {
    return read_message_delta(*object, sink) ? nullptr : json::malformed;
  } else if (type == "message_stop") {
    settle(sink);
    sink.emit(End());
  } else if (type == "error") {
    sink.emit(read_error_body(data, sink.arena()));
  } else if (!type_value || type.ends_with("error")) {  // an error of another API's form
    if (read_error_instead(data, json::malformed, sink) != nullptr) {
      sink.emit(Other(type, false));
    }
  } else {
    sink.emit(Other(type, false));
  }
  return nullptr;
}

const char* Reader::read_whole(std::string_view body, EventSink& sink) {
  data_ = body;
  json::Parser parser(body, sink.arena());
  auto object = parser.object();
  if (!object) {
    return read_error_instead(body, parser.why(), sink);
  }
  std::optional<Value> type;
  if (!find(*object, "type", type)) {
    return json::malformed;
  }
  if (!type || json::text(*type, sink.arena()) != "message") {
    sink.emit(read_error_body(body, sink.arena()));
    return nullptr;
  }
  return read_message(*object, sink, true) ? nullptr : json::malformed;
}

/// The message of `message_start`, or a whole one.
bool Reader::read_message(Object& message, EventSink& sink, bool whole) {
  auto& arena = sink.arena();
  blocks_.end_all(sink, std::nullopt);
  blocks_.restart();
  take_back_finish();
  indices_seen_ = 0;
  usage_ = Usage();
  const auto ended = sink.size();
  Start start;
  std::string_view reason;
  std::string_view sequence;
  message.reset();
  const bool well_formed = json::members(message, [&](raw_json_string key, Value& v) {
    if (key == "id") {
      start.id = json::text(v, arena);
    } else if (key == "model") {
      sink.model = json::raw_string(v).value_or(std::string_view());
      start.model = json::text(v, arena);
    } else if (key == "usage") {
      return read_usage(v);
    } else if (whole && key == "content") {
      return json::elements_of(v, [&](Value& block) {
        const auto index = indices_seen_;
        const bool read = read_block_start(index, block, sink);
        read_block_stop(index, sink);
        return read;
      });
    } else if (key == "stop_reason") {
      reason = json::text(v, arena);
    } else if (key == "stop_sequence") {
      sequence = json::text(v, arena);
    } else if (key == "stop_details") {
      return read_stop_details(v, sink);
    } else if (key == "input_transformations") {
      return count_dropped(v, start.reasoning_dropped);
    }
    return true;
  });
  sink.emit_at(ended, start);
  if (whole && note_finish(reason, sequence, sink)) {
    settle(sink);
  }
  const bool finished = settled_;
  if (usage_ != Usage()) {
    sink.emit(usage_);
  }
  if (finished) {
    sink.emit(End());
  }
  return well_formed;
}

bool Reader::read_usage(Value& usage) {
  const auto update = [](std::optional<std::uint64_t>& field, Value& v) {
    const auto number = json::count(v);
    field = number ? number : field;
  };
  return json::members_of(usage, [&](raw_json_string key, Value& v) {
    if (key == "input_tokens") {
      update(usage_.input, v);
    } else if (key == "cache_read_input_tokens") {
      update(usage_.cache_read, v);
    } else if (key == "cache_creation_input_tokens") {
      update(usage_.cache_write, v);
    } else if (key == "output_tokens") {
      update(usage_.output, v);
    } else if (key == "output_tokens_details") {
      return json::members_of(v, [&](raw_json_string k, Value& detail) {
        if (k == "thinking_tokens") {
          update(usage_.reasoning, detail);
        }
        return true;
      });
    }
    return true;
  });
}

bool Reader::read_message_delta(Object& object, EventSink& sink) {
  auto& arena = sink.arena();
  std::string_view reason;
  std::string_view sequence;
  bool counted = false;
  object.reset();
  const bool well_formed = json::members(object, [&](raw_json_string key, Value& v) {
    if (key == "delta") {
      return json::members_of(v, [&](raw_json_string k, Value& said) {
        if (k == "stop_reason") {
          reason = json::text(said, arena);
        } else if (k == "stop_sequence") {
          sequence = json::text(said, arena);
        } else if (k == "stop_details") {
          return read_stop_details(said, sink);
        }
        return true;
      });
    }
    if (key == "usage") {
      counted = !json::is_null(v);
      return read_usage(v);
    }
    return true;
  });
  note_finish(reason, sequence, sink);
  if (counted) {
    sink.emit(usage_);
  }
  if (sink.empty()) {
    sink.emit(Other("message_delta", false));
  }
  return well_formed;
}

/// Why the model refused: its explanation, with the category in brackets.
bool Reader::read_stop_details(Value& details, EventSink& sink) {
  explanation_.clear();
  std::string_view category;
  const bool well_formed = json::members_of(details, [&](raw_json_string key, Value& v) {
    if (key == "explanation") {
      explanation_ = json::text(v, sink.arena());
    } else if (key == "category") {
      category = json::text(v, sink.arena());
    }
    return true;
  });
  if (!explanation_.empty() && !category.empty()) {
    explanation_.append(" (").append(category).append(")");
  }
  return well_formed;
}

bool Reader::note_finish(std::string_view reason, std::string_view sequence, EventSink& sink) {
  if (reason.empty()) {
    return true;
  }
  if (!finish_of(reason)) {
    Error error(reason, {}, failure_message(reason, sink.arena()));
    error.json = data_;
    sink.emit(error);
    return false;
  }
  finish_ = reason;
  stop_sequence_ = sequence;
  sink.reports_finish = true;
  return true;
}

/// Content follows: it was none.
void Reader::take_back_finish() {
  doubtful_ = doubtful_ || !finish_.empty();
  finish_.clear();
  explanation_.clear();
}

void Reader::settle(EventSink& sink) {
  if (finish_.empty() || settled_) {
    return;
  }
  settled_ = true;
  const auto reason = finish_of(finish_).value_or(FinishReason::other);
  // A call whose block has no end was cut, if anything was.
  blocks_.end_all(sink, may_cut_calls(reason) ? std::nullopt : std::optional(reason));
  Finish finish(reason, sink.keep(finish_), sink.keep(stop_sequence_));
  finish.explanation = sink.keep(explanation_);
  sink.emit(finish);
}

}  // namespace understudy::llm::detail::anthropic
