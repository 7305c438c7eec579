// The `response` object: how an answer begins, what it used, and how it ends.
#include "llm/error_body.hpp"
#include "llm/finish_words.hpp"
#include "reader.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

}  // namespace

void Reader::read_marker(std::string_view type, const Response& response, EventSink& sink) {
  const bool created = type == "response.created";
  const bool again = started_ && created && said_;  // another answer, spliced in
  if (again) {
    blocks_.end_all(sink, std::nullopt);
    restart();
  }
  const bool first_progress = !created && type == "response.in_progress" && !in_progress_;
  if (!started_) {
    started_ = true;
    const auto model = json::unescaped(response.model, sink.arena()).value_or(response.model);
    sink.emit(Start(response.id, model));
  } else if (first_progress) {
    sink.emit(Other(type, false));
  } else {
    sink.emit(Heartbeat());
  }
  in_progress_ = in_progress_ || first_progress;
}

/// The `response` object of an event, or a whole answer. Its `output` is read if it is all that says it.
bool Reader::read_response(Object& object, Response& response, bool output, EventSink& sink) {
  auto& arena = sink.arena();
  return json::members(object, [&](raw_json_string key, value& v) {
    if (key == "id") {
      response.id = json::text(v, arena);
    } else if (key == "model") {
      response.model = json::raw_string(v).value_or(std::string_view());
    } else if (key == "status") {
      response.status = json::text(v, arena);
    } else if (key == "error") {
      return read_error_member(key, v, arena, response.error);
    } else if (key == "incomplete_details") {
      return json::members_of(v, [&](raw_json_string k, value& reason) {
        if (k == "reason") {
          response.reason = json::text(reason, arena);
        }
        return true;
      });
    } else if (key == "usage") {
      response.counted = v.raw_json_token().starts_with('{');
      return read_usage(v);
    } else if (key == "output" && output) {
      std::size_t index = 0;
      return json::elements_of(v, [&](value& element) {
        Item item;
        return read_item(element, item, arena) && end_item(index++, item, sink);
      });
    }
    return true;
  });
}

bool Reader::read_usage(Value& usage) {
  std::optional<std::uint64_t> input;
  Usage counted;
  const auto details = [&](raw_json_string key, value& v) {
    if (key == "cached_tokens") {
      counted.cache_read = json::count(v);
    } else if (key == "cache_write_tokens") {
      counted.cache_write = json::count(v);
    } else if (key == "reasoning_tokens") {
      counted.reasoning = json::count(v);
    }
    return true;
  };
  const bool whole = json::members_of(usage, [&](raw_json_string key, value& v) {
    if (key == "input_tokens") {
      input = json::count(v);
    } else if (key == "output_tokens") {
      counted.output = json::count(v);
    } else if (key == "input_tokens_details" || key == "output_tokens_details") {
      return json::members_of(v, details);
    }
    return true;
  });
  const auto of_cache = counted.cache_read.value_or(0) + counted.cache_write.value_or(0);
  counted.input = input && *input >= of_cache ? std::optional(*input - of_cache) : input;
  usage_ = counted;
  return whole;
}

void Reader::finish(std::string_view status, const Response& response, std::string_view data,
                    EventSink& sink) {
  const auto reason = response.reason.empty() ? status : response.reason;
  const auto meaning = finish_of(reason);
  const bool failed = !finish_of(status) || (status == "incomplete" && !meaning);
  if (!started_ && !failed) {
    started_ = true;
    const auto model = json::unescaped(response.model, sink.arena()).value_or(response.model);
    sink.emit_at(0, Start(response.id, model));
  }
  if (failed) {
    Error error = response.error;
    if (!says_error(error)) {
      error.code = status == "failed" ? std::string_view() : reason;
      error.message = failure_message(reason, sink.arena());
    }
    error.json = data;
    if (response.counted) {
      sink.emit(usage_);
    }
    sink.emit(error);
    return;
  }
  const bool in_full = status != "incomplete";
  const auto reached = !in_full   ? *meaning
                       : called_  ? FinishReason::tool_use
                       : refused_ ? FinishReason::refusal
                                  : FinishReason::stop;
  blocks_.end_all(sink, in_full ? std::optional(reached) : std::nullopt);
  sink.emit(Finish(reached, in_full ? "completed" : reason));
  if (response.counted) {
    sink.emit(usage_);
  }
  ended_ = true;
  sink.emit(End());
}

void Reader::restart() {
  blocks_.restart();
  items_seen_ = 0;
  usage_ = Usage();
  started_ = in_progress_ = said_ = called_ = refused_ = false;
}

}  // namespace understudy::llm::detail::openai_responses
