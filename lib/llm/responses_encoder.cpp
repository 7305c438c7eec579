#include "responses_encoder.hpp"

#include <algorithm>

#include "raw_fields.hpp"
#include "responses_words.hpp"
#include "sse_frame.hpp"

namespace understudy::detail {

void ResponsesEncoder::write(const Event& event, std::string& out) {
  std::visit([&](const auto& body) { put(body, out); }, event.body);
}

void ResponsesEncoder::follow(const Event& event) {
  EventEncoder::follow(event);
  if (!event.raw.empty()) {
    adopt(event);
  }
}

/// Goes on where the provider's own numbers are, and calls things by its names.
void ResponsesEncoder::adopt(const Event& event) {
  constexpr std::size_t most_items = 10'000;
  if (const auto number = raw_number(event.raw, R"("sequence_number")")) {
    sequence_ = *number + 1;
  }
  const auto index = raw_number(event.raw, R"("output_index")").value_or(most_items);
  if (index >= most_items) {
    return;
  }
  output_.resize(std::max<std::size_t>(output_.size(), index + 1));
  if (event.raw.find("\"response.output_item.done\"") != std::string_view::npos) {
    output_[index] = raw_object(event.raw, R"("item")");
    std::erase_if(open_, [&](const Item& item) { return item.index == index; });
    return;
  }
  const auto id = raw_text(event.raw, R"("item_id")");
  const auto kind = std::holds_alternative<Text>(event.body)        ? Kind::message
                    : std::holds_alternative<Reasoning>(event.body) ? Kind::reasoning
                                                                    : Kind::call;
  const auto item =
      std::find_if(open_.rbegin(), open_.rend(), [&](const Item& one) { return one.kind == kind; });
  if (item != open_.rend() && !id.empty()) {
    item->id = id;
    item->index = index;
  }
}

void ResponsesEncoder::put(const Start& start, std::string& out) {
  *this = ResponsesEncoder();
  id_ = start.id;
  model_ = start.model;
  response_event(out, "response.created", {id_, model_, "in_progress"});
  response_event(out, "response.in_progress", {id_, model_, "in_progress"});
}

/// A block of text is a part of the message that is open, or opens one.
void ResponsesEncoder::put(const Text& text, std::string& out) {
  if (text.text.empty()) {
    return;
  }
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [](const Item& i) { return i.kind == Kind::message; });
  const bool there = found != open_.end();
  if (!there) {
    close_written(out);
  }
  auto& message = there ? *found : open(Kind::message, text.block, "msg_", out);
  const bool another =
      there && (message.block != text.block || message.parts.back().refusal != text.refusal);
  if (another) {
    end_part(message, out);
    message.block = text.block;
  }
  if (!there || another) {
    begin_part(message, text.refusal, out);
  }
  message.parts.back().text += text.text;
  part_event(out, text.refusal ? "response.refusal.delta" : "response.output_text.delta", message,
             [&](JsonWriter& json) {
               json.member("delta", text.text);
               if (!text.refusal) {
                 json.key("logprobs").begin_array().end_array();
               }
             });
}

void ResponsesEncoder::put(const Reasoning& reasoning, std::string& out) {
  if (reasoning.text.empty()) {
    return;
  }
  auto& item = reasoning_item(reasoning.block, out);
  if (!item.begun) {
    item.begun = true;
    part_event(out, "response.reasoning_summary_part.added", item, [](JsonWriter& json) {
      json.key("part").begin_object().member("type", "summary_text").member("text", "");
      json.end_object();
    });
  }
  item.text += reasoning.text;
  part_event(out, "response.reasoning_summary_text.delta", item,
             [&](JsonWriter& json) { json.member("delta", reasoning.text); });
}

/// The item's end has it, so the item ends. Another protocol's signature has no place here.
void ResponsesEncoder::put(const ReasoningSeal& seal, std::string& out) {
  if (seal.kind == ReasoningSeal::Kind::encrypted) {
    auto& item = reasoning_item(seal.block, out);
    item.seal = seal.data;
    item.id = seal.id.empty() ? item.id : std::string(seal.id);
    close_written(out);
  }
}

void ResponsesEncoder::put(const ToolStart& call, std::string& out) {
  close_written(out);
  auto& item = open(Kind::call, call.block, "fc_", out);
  item.seal = call.id;
  item.name = call.name;
  event(out, "response.output_item.added", [&](JsonWriter& json) {
    json.member("output_index", item.index).key("item").raw(rendered(item, "in_progress"));
  });
}

void ResponsesEncoder::put(const ToolArguments& arguments, std::string& out) {
  auto* const item = find(Kind::call, arguments.block);
  if (item == nullptr || arguments.json.empty()) {
    return;
  }
  item->text += arguments.json;
  event(out, "response.function_call_arguments.delta", [&](JsonWriter& json) {
    json.member("item_id", item->id).member("output_index", item->index);
    json.member("delta", arguments.json);
  });
}

void ResponsesEncoder::put(const ToolEnd& end, std::string& out) {
  std::erase_if(open_, [&](Item& item) {
    const bool ended = item.kind == Kind::call && item.block == end.block;
    if (ended) {
      item.text = item.text.empty() && end.complete ? "{}" : item.text;
      close(item, end.complete ? "completed" : "incomplete", out);
    }
    return ended;
  });
}

void ResponsesEncoder::put(const Usage& usage, std::string&) {
  usage_ = usage;
  counted_ = true;
}

/// Waits for End: the terminal has the usage, which may follow.
void ResponsesEncoder::put(const Finish& finish, std::string& out) {
  close_written(out);
  finish_ = finish.reason;
  native_ = finish.native;
}

void ResponsesEncoder::put(const End&, std::string& out) {
  if (ended_ || !finish_) {
    return;  // a stream that ends without having finished is no complete answer
  }
  ended_ = true;
  const auto* const usage = counted_ ? &usage_ : nullptr;
  if (responses_completed(*finish_, native_)) {
    response_event(out, "response.completed",
                   {id_, model_, "completed", {}, nullptr, usage, &output_});
  } else {
    response_event(out, "response.incomplete",
                   {id_, model_, "incomplete", responses_incomplete_reason(*finish_, native_),
                    nullptr, usage, &output_});
  }
}

/// Before the response only as a comment: its event has to be the first.
void ResponsesEncoder::put(const Heartbeat&, std::string& out) {
  if (sequence_ > 0) {
    event(out, "keepalive", [](JsonWriter&) {});
  } else {
    append_comment(out);
  }
}

/// Said twice, as OpenAI does: some clients look for the one, some for the other.
void ResponsesEncoder::put(const Error& error, std::string& out) {
  if (ended_) {
    return;
  }
  ended_ = true;
  event(out, "error", [&](JsonWriter& json) {
    json.key("error").begin_object().key("type");
    error.type.empty() ? json.null() : json.value(error.type);
    json.key("code");
    error.code.empty() ? json.null() : json.value(error.code);
    json.member("message", error.message).key("param").null().end_object();
  });
  response_event(out, "response.failed",
                 {id_, model_, "failed", {}, &error, counted_ ? &usage_ : nullptr, &output_});
}

template <class Write>
void ResponsesEncoder::event(std::string& out, std::string_view type, Write write) {
  append_event(out, type, [&](JsonWriter& json) {
    json.member("type", type).member("sequence_number", sequence_++);
    write(json);
  });
}

/// An event of the last part of a message, or of a reasoning item's only summary.
template <class Write>
void ResponsesEncoder::part_event(std::string& out, std::string_view type, const Item& item,
                                  Write write) {
  event(out, type, [&](JsonWriter& json) {
    json.member("item_id", item.id).member("output_index", item.index);
    if (item.kind == Kind::message) {
      json.member("content_index", item.parts.size() - 1);
    } else {
      json.member("summary_index", 0);
    }
    write(json);
  });
}

void ResponsesEncoder::response_event(std::string& out, std::string_view type,
                                      ResponsesObject object) {
  event(out, type, [&](JsonWriter& json) {
    json.key("response").begin_object();
    write_responses_object(json, object);
    json.end_object();
  });
}

/// An item of which the begin is to be written, unless it is a call: that is not known yet.
ResponsesEncoder::Item& ResponsesEncoder::open(Kind kind, std::size_t block,
                                               std::string_view prefix, std::string& out) {
  const auto index = output_.size();
  output_.emplace_back();
  auto& item = open_.emplace_back();
  item.kind = kind;
  item.block = block;
  item.index = index;
  item.id = responses_item_id(prefix, id_, index);
  if (kind != Kind::call) {
    event(out, "response.output_item.added", [&](JsonWriter& json) {
      json.member("output_index", index).key("item").raw(rendered(item, "in_progress"));
    });
  }
  return item;
}

ResponsesEncoder::Item& ResponsesEncoder::reasoning_item(std::size_t block, std::string& out) {
  if (auto* const item = find(Kind::reasoning, block)) {
    return *item;
  }
  close_written(out);
  return open(Kind::reasoning, block, "rs_", out);
}

ResponsesEncoder::Item* ResponsesEncoder::find(Kind kind, std::size_t block) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Item& i) {
    return i.kind == kind && i.block == block;
  });
  return found == open_.end() ? nullptr : &*found;
}

void ResponsesEncoder::begin_part(Item& message, bool refusal, std::string& out) {
  message.parts.push_back({refusal, {}});
  part_event(out, "response.content_part.added", message, [&](JsonWriter& json) {
    json.key("part").begin_object();
    write_responses_part(json, message.parts.back());
    json.end_object();
  });
}

void ResponsesEncoder::end_part(const Item& message, std::string& out) {
  const auto& part = message.parts.back();
  part_event(out, part.refusal ? "response.refusal.done" : "response.output_text.done", message,
             [&](JsonWriter& json) {
               json.member(part.refusal ? "refusal" : "text", part.text);
               if (!part.refusal) {
                 json.key("logprobs").begin_array().end_array();
               }
             });
  part_event(out, "response.content_part.done", message, [&](JsonWriter& json) {
    json.key("part").begin_object();
    write_responses_part(json, part);
    json.end_object();
  });
}

void ResponsesEncoder::close(const Item& item, std::string_view status, std::string& out) {
  switch (item.kind) {
    case Kind::message: end_part(item, out); break;
    case Kind::reasoning:
      if (item.begun) {
        part_event(out, "response.reasoning_summary_text.done", item,
                   [&](JsonWriter& json) { json.member("text", item.text); });
        part_event(out, "response.reasoning_summary_part.done", item, [&](JsonWriter& json) {
          json.key("part").begin_object().member("type", "summary_text");
          json.member("text", item.text).end_object();
        });
      }
      break;
    case Kind::call:
      event(out, "response.function_call_arguments.done", [&](JsonWriter& json) {
        json.member("item_id", item.id).member("output_index", item.index);
        json.member("name", item.name).member("arguments", item.text);
      });
      break;
  }
  output_[item.index] = rendered(item, status);
  event(out, "response.output_item.done", [&](JsonWriter& json) {
    json.member("output_index", item.index).key("item").raw(output_[item.index]);
  });
}

/// Everything but calls, which end by themselves.
void ResponsesEncoder::close_written(std::string& out) {
  std::erase_if(open_, [&](const Item& item) {
    if (item.kind != Kind::call) {
      close(item, "completed", out);
    }
    return item.kind != Kind::call;
  });
}

std::string ResponsesEncoder::rendered(const Item& item, std::string_view status) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  switch (item.kind) {
    case Kind::message: write_responses_message(json, item.id, status, item.parts); break;
    case Kind::reasoning: write_responses_reasoning(json, item.id, item.text, item.seal); break;
    case Kind::call:
      write_responses_call(json, item.id, status, item.seal, item.name, item.text);
      break;
  }
  json.end_object();
  return text;
}

}  // namespace understudy::detail
