#include "encoder.hpp"

#include <algorithm>
#include <utility>

#include "echo.hpp"
#include "item_ids.hpp"
#include "llm/implied_start.hpp"
#include "llm/made_up_id.hpp"
#include "llm/raw_fields.hpp"
#include "llm/sse_frame.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_responses {

Encoder::Encoder(const Request& asked, std::chrono::sys_seconds created)
    : asked_model_(asked.model), created_(created), codex_(is_codex(asked)) {
  if (asked.origin == Protocol::openai_responses && !asked.body.empty()) {
    asked_body_ = asked.body;
  } else {
    echo_ = echo_of(asked);
  }
}

const ExtraFields& Encoder::echo() {
  if (!echo_) {
    Request asked(asked_model_);
    asked.origin = Protocol::openai_responses;
    asked.body = std::move(asked_body_);
    echo_ = echo_of(asked);
  }
  return *echo_;
}

void Encoder::write(const Event& event, std::string& out) {
  if (!ended_) {
    forwarding_ = forwarding_ && std::holds_alternative<Heartbeat>(event.body);
    if (!started_ && implies_start(event)) {
      put(Start(), out);
    }
    std::visit([&](const auto& body) { put(body, out); }, event.body);
  }
}

/// The provider's own bytes say what is open; the events, what stands in them.
void Encoder::follow(const Event& event) {
  const auto& body = event.body;
  if (const auto* start = std::get_if<Start>(&body)) {
    begin(*start);
  } else if (std::holds_alternative<Usage>(body) || std::holds_alternative<Finish>(body)) {
    EventEncoder::follow(event);
  } else if (std::holds_alternative<End>(body) || std::holds_alternative<Error>(body)) {
    // The whole response, which `write` would write, is large.
    ended_ = ended_ || finish_ || std::holds_alternative<Error>(body);
  }
  forwarding_ = true;
  if (const auto number = raw_number(event.raw, R"("sequence_number")")) {
    sequence_ = *number + 1;
  }
  adopt(event);
}

/// Goes on where the provider's own numbers are, and calls things by its names.
void Encoder::adopt(const Event& event) {
  constexpr std::size_t most_items = 10'000;
  if (std::holds_alternative<Start>(event.body)) {
    const std::chrono::seconds created(raw_number(event.raw, R"("created_at")").value_or(0));
    created_ = created.count() > 0 ? std::chrono::sys_seconds(created) : created_;
  }
  const auto index = raw_number(event.raw, R"("output_index")").value_or(most_items);
  if (index >= most_items) {
    return;
  }
  next_ = std::max<std::size_t>(next_, index + 1);
  const auto says = [&](std::string_view quoted) {
    return event.raw.find(quoted) != std::string_view::npos;
  };
  if (says("\"response.output_item.done\"")) {
    keep_output(index, std::string(raw_object(event.raw, R"("item")")));
    if (const auto ended = open_.find(index); ended != open_.end()) {
      if (ended->second.kind == Kind::call && ended->second.block) {
        calls_.erase(*ended->second.block);
      }
      open_.erase(ended);
    }
    written_.erase(index);
  } else if (says("\"response.output_item.added\"")) {
    adopt_item(index, raw_object(event.raw, R"("item")"), event);
  } else {
    if (!open_.contains(index)) {  // some servers leave its begin out
      adopt_item(index, {}, event);
    }
    adopt_piece(open_.at(index), raw_text(event.raw, R"("type")"), event);
  }
}

void Encoder::adopt_item(std::size_t index, std::string_view json, const Event& event) {
  const auto type = raw_text(json, R"("type")");
  const auto& body = event.body;
  Item item(type == "message" || std::holds_alternative<Text>(body)          ? Kind::message
            : type == "reasoning" || std::holds_alternative<Reasoning>(body) ? Kind::reasoning
            : type == "function_call" || std::holds_alternative<ToolArguments>(body) ? Kind::call
                                                                                     : Kind::other);
  item.index = index;
  item.id = json.empty() ? raw_text(event.raw, R"("item_id")") : raw_text(json, R"("id")");
  item.call_id = raw_text(json, R"("call_id")");
  item.name = raw_text(json, R"("name")");
  item.json = item.kind == Kind::other ? json : std::string_view();
  item.text_open = item.kind == Kind::call;
  if (item.kind == Kind::call) {
    if (const auto* const start = std::get_if<ToolStart>(&body)) {
      item.block = start->block;
      calls_[start->block] = index;
    }
  } else {
    written_.insert(index);
  }
  ids_.insert(item.id);
  open_.insert_or_assign(index, std::move(item));
}

void Encoder::adopt_piece(Item& item, std::string_view type, const Event& event) {
  if (type.ends_with("_part.added")) {
    const auto part = raw_object(event.raw, R"("part")");
    item.parts.push_back({raw_text(part, R"("type")") == "refusal", {}});
    item.part_open = item.text_open = true;
    return;
  }
  const auto say = [&](std::size_t block, std::string_view text, bool refusal) {
    if (!item.part_open) {  // nor was its begin said
      item.parts.push_back({refusal, {}});
      item.part_open = item.text_open = true;
    }
    item.block = block;
    item.parts.back().text += text;
  };
  if (const auto* text = std::get_if<Text>(&event.body)) {
    say(text->block, text->text, text->refusal);
  } else if (const auto* reasoning = std::get_if<Reasoning>(&event.body)) {
    if (type == "response.reasoning_summary_text.delta") {  // of other reasoning we write nothing
      say(reasoning->block, reasoning->text, false);
    }
  } else if (const auto* arguments = std::get_if<ToolArguments>(&event.body)) {
    item.arguments += arguments->json;
  }
  item.part_open = item.part_open && !type.ends_with("_part.done");
  item.text_open = item.text_open && !type.ends_with("_text.done") &&
                   !type.ends_with("refusal.done") && !type.ends_with("arguments.done");
}

/// A new answer, of which nothing is known but this.
void Encoder::begin(const Start& start) {
  started_ = true;
  id_ = start.id.empty() ? made_up_id("resp_") : std::string(start.id);
  model_ = start.model;
  sequence_ = 0;
  next_ = 0;
  open_.clear();
  written_.clear();
  calls_.clear();
  output_.clear();
  usage_ = Usage();
  counted_ = ended_ = false;
  finish_.reset();
}

void Encoder::put(const Start& start, std::string& out) {
  if (started_) {  // spliced in: what was said cannot be taken back, so the answer continues
    end_items("incomplete", out);
    finish_.reset();
    return;
  }
  begin(start);
  response_event(out, "response.created", "in_progress");
  response_event(out, "response.in_progress", "in_progress");
}

/// A block of text is a part of the message that is open, or opens one.
void Encoder::put(const Text& text, std::string& out) {
  if (text.text.empty()) {
    return;
  }
  said_ = true;
  auto* message = writing(Kind::message);
  if (message == nullptr) {
    close_written(out);
    message = &open(Item(Kind::message), out);
  }
  const bool goes_on = message->text_open && message->block.value_or(text.block) == text.block &&
                       message->parts.back().refusal == text.refusal;
  if (!goes_on) {
    end_part(*message, out);
    begin_part(*message, text.refusal, out);
  }
  message->block = text.block;
  message->parts.back().text += text.text;
  part_event(out, text.refusal ? "response.refusal.delta" : "response.output_text.delta", *message,
             [&](JsonWriter& json) {
               json.member("delta", text.text);
               if (!text.refusal) {
                 json.key("logprobs").begin_array().end_array();
               }
             });
}

void Encoder::put(const Reasoning& reasoning, std::string& out) {
  if (reasoning.text.empty()) {
    return;
  }
  auto& item = reasoning_item(reasoning.block, reasoning.id, out);
  if (!item.text_open) {
    end_part(item, out);
    begin_part(item, false, out);
  }
  item.parts.back().text += reasoning.text;
  part_event(out, "response.reasoning_summary_text.delta", item,
             [&](JsonWriter& json) { json.member("delta", reasoning.text); });
}

/// The item's end has it, so the item ends. Another protocol's signature has no place here.
void Encoder::put(const ReasoningSeal& seal, std::string& out) {
  if (seal.kind == ReasoningSeal::Kind::encrypted) {
    reasoning_item(seal.block, seal.id, out).seal = seal.data;
    close_written(out);
  }
}

void Encoder::put(const ToolStart& call, std::string& out) {
  close_written(out);
  close_call(call.block, false, out);
  Item item(Kind::call);
  item.block = call.block;
  item.text_open = true;
  item.call_id = call.id;
  item.name = call.name;
  item.name_space = call.name_space;
  item.form = call.form;
  open(std::move(item), out);
}

void Encoder::put(const ToolArguments& arguments, std::string& out) {
  auto* const item = call(arguments.block);
  if (item != nullptr) {
    const bool custom = item->form == ToolForm::custom;
    say_arguments(*item, custom ? item->input.add(arguments.json) : arguments.json, out);
  }
}

/// The arguments of a search are in its item alone.
void Encoder::say_arguments(Item& item, std::string_view piece, std::string& out) {
  item.arguments += piece;
  if (piece.empty() || item.form == ToolForm::search) {
    return;
  }
  event(out,
        item.form == ToolForm::custom ? "response.custom_tool_call_input.delta"
                                      : "response.function_call_arguments.delta",
        [&](JsonWriter& json) {
          json.member("item_id", item.id).member("output_index", item.index);
          json.member("delta", piece);
        });
}

void Encoder::end_arguments(Item& item, std::string& out) {
  switch (item.form) {
    case ToolForm::function:
      event(out, "response.function_call_arguments.done", [&](JsonWriter& json) {
        json.member("item_id", item.id).member("output_index", item.index);
        json.member("name", item.name).member("arguments", item.arguments);
      });
      break;
    case ToolForm::custom:
      say_arguments(item, item.input.end(), out);
      event(out, "response.custom_tool_call_input.done", [&](JsonWriter& json) {
        json.member("item_id", item.id).member("output_index", item.index);
        json.member("input", item.arguments);
      });
      break;
    case ToolForm::search: break;
  }
}

void Encoder::put(const ToolEnd& end, std::string& out) {
  close_call(end.block, end.complete, out);
}

void Encoder::put(const Usage& usage, std::string&) {
  usage_ = usage;
  counted_ = true;
}

/// Waits for End: the terminal has the usage, which may follow.
void Encoder::put(const Finish& finish, std::string& out) {
  finish_ = finish.reason;
  native_ = finish.native;
  end_items(completes() ? "completed" : "incomplete", out);
}

bool Encoder::completes() const { return is_completed(*finish_, native_, codex_ && said_); }

void Encoder::put(const End&, std::string& out) {
  if (!finish_) {
    return;  // a stream that ends without having finished is not a complete answer
  }
  const bool completed = completes();
  const std::string_view status = completed ? "completed" : "incomplete";
  end_items(status, out);
  response_event(out, completed ? "response.completed" : "response.incomplete", status);
  ended_ = true;
}

/// openai-python raises on any event before `response.created`.
void Encoder::put(const Heartbeat&, std::string& out) {
  if (started_ && !forwarding_) {
    event(out, "keepalive", [](JsonWriter&) {});
  } else {
    append_comment(out);
  }
}

/// Said twice, as OpenAI does: some clients look for the one, some for the other. The members of the event stand beside
/// the nested object, since the SDKs' types have the former, and their readers of streams look for the latter.
void Encoder::put(const Error& error, std::string& out) {
  if (!started_) {
    put(Start({}, asked_model_), out);
  }
  const auto code = error_code_of(error);
  event(out, "error", [&](JsonWriter& json) {
    json.member("code", code).member("message", error.message).key("param").null();
    json.key("error").begin_object().key("type");
    error.type.empty() ? json.value(code) : json.value(error.type);
    json.member("code", code).member("message", error.message).key("param").null().end_object();
  });
  response_event(out, "response.failed", "failed", &error);
  ended_ = true;
}

template <class Write>
void Encoder::event(std::string& out, std::string_view type, Write write) {
  append_event(out, type, [&](JsonWriter& json) {
    json.member("type", type).member("sequence_number", sequence_++);
    write(json);
  });
}

/// An event of the last part of a message, or of a reasoning item's summary.
template <class Write>
void Encoder::part_event(std::string& out, std::string_view type, const Item& item, Write write) {
  event(out, type, [&](JsonWriter& json) {
    json.member("item_id", item.id).member("output_index", item.index);
    json.member(item.kind == Kind::message ? "content_index" : "summary_index",
                item.parts.size() - 1);
    write(json);
  });
}

void Encoder::response_event(std::string& out, std::string_view type, std::string_view status,
                             const Error* error) {
  ResponseObject object{id_, model_, created_, status, echo()};
  if (status == "incomplete") {
    object.reason = incomplete_reason(*finish_);
  }
  object.error = error;
  object.usage = counted_ ? &usage_ : nullptr;
  object.output = &output_;
  event(out, type, [&](JsonWriter& json) {
    json.key("response").begin_object();
    write_response(json, object);
    json.end_object();
  });
}

/// The next item. It is named here, if it has no name yet.
Encoder::Item& Encoder::open(Item item, std::string& out) {
  const std::string_view prefix = item.kind == Kind::message     ? "msg_"
                                  : item.kind == Kind::reasoning ? "rs_"
                                                                 : call_id_prefix(item.form);
  item.index = next_++;
  // Two providers that number their items may give two the same id.
  if (item.id.empty() || !ids_.insert(item.id).second) {
    item.id = item_id(prefix, id_, item.index);
    ids_.insert(item.id);
  }
  if (item.kind == Kind::call) {
    calls_[*item.block] = item.index;
  } else {
    written_.insert(item.index);
  }
  event(out, "response.output_item.added", [&](JsonWriter& json) {
    json.member("output_index", item.index).key("item").raw(rendered(item, "in_progress"));
  });
  return open_.insert_or_assign(item.index, std::move(item)).first->second;
}

/// The item that is being written, if there is one alone, of that kind.
Encoder::Item* Encoder::writing(Kind kind) {
  auto* const item = written_.size() == 1 ? &open_.at(*written_.begin()) : nullptr;
  return item != nullptr && item->kind == kind ? item : nullptr;
}

Encoder::Item& Encoder::reasoning_item(std::size_t block, std::string_view id, std::string& out) {
  auto* const item = writing(Kind::reasoning);
  if (item != nullptr && item->block.value_or(block) == block) {
    item->block = block;
    return *item;
  }
  close_written(out);
  Item next(Kind::reasoning);
  next.block = block;
  next.id = id == repeatable(id) ? id : std::string_view();
  return open(std::move(next), out);
}

Encoder::Item* Encoder::call(std::size_t block) {
  const auto found = calls_.find(block);
  return found == calls_.end() ? nullptr : &open_.at(found->second);
}

void Encoder::begin_part(Item& item, bool refusal, std::string& out) {
  const bool summary = item.kind == Kind::reasoning;
  item.parts.push_back({refusal, {}});
  item.part_open = item.text_open = true;
  part_event(out, summary ? "response.reasoning_summary_part.added" : "response.content_part.added",
             item, [&](JsonWriter& json) {
               json.key("part").begin_object();
               write_part(json, item.parts.back(), summary);
               json.end_object();
             });
}

/// The last part, as far as it has not ended yet.
void Encoder::end_part(Item& item, std::string& out) {
  if (!item.part_open) {
    return;
  }
  const auto& part = item.parts.back();
  const bool summary = item.kind == Kind::reasoning;
  if (item.text_open) {
    part_event(out,
               summary        ? "response.reasoning_summary_text.done"
               : part.refusal ? "response.refusal.done"
                              : "response.output_text.done",
               item, [&](JsonWriter& json) {
                 json.member(part.refusal ? "refusal" : "text", part.text);
                 if (!part.refusal && !summary) {
                   json.key("logprobs").begin_array().end_array();
                 }
               });
  }
  part_event(out, summary ? "response.reasoning_summary_part.done" : "response.content_part.done",
             item, [&](JsonWriter& json) {
               json.key("part").begin_object();
               write_part(json, part, summary);
               json.end_object();
             });
  item.part_open = item.text_open = false;
}

/// Ends the item. It is still to be taken out of those that are open.
void Encoder::close(Item& item, std::string_view status, std::string& out) {
  end_part(item, out);
  if (item.kind == Kind::call && item.text_open) {
    end_arguments(item, out);
  }
  auto json_of_item = rendered(item, status);
  if (json_of_item.empty()) {
    return;  // the provider never said what the item is
  }
  keep_output(item.index, std::move(json_of_item));
  event(out, "response.output_item.done", [&](JsonWriter& json) {
    json.member("output_index", item.index).key("item").raw(output_[item.index]);
  });
}

/// Everything but calls, which end by themselves.
void Encoder::close_written(std::string& out, std::string_view status) {
  for (const auto index : written_) {
    close(open_.at(index), status, out);
    open_.erase(index);
  }
  written_.clear();
}

/// Everything. A call that has not ended was truncated.
void Encoder::end_items(std::string_view status, std::string& out) {
  close_written(out, status);
  for (auto& [index, item] : open_) {
    close(item, "incomplete", out);
  }
  open_.clear();
  calls_.clear();
}

void Encoder::close_call(std::size_t block, bool complete, std::string& out) {
  auto* const item = call(block);
  if (item != nullptr) {
    if (item->arguments.empty() && complete && item->form == ToolForm::function) {
      item->arguments = "{}";
    }
    close(*item, complete ? "completed" : "incomplete", out);
    open_.erase(item->index);
    calls_.erase(block);
  }
}

void Encoder::keep_output(std::size_t index, std::string item) {
  output_.resize(std::max(output_.size(), index + 1));
  output_[index] = std::move(item);
}

std::string Encoder::rendered(const Item& item, std::string_view status) {
  if (item.kind == Kind::other) {
    return item.json;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  if (item.kind == Kind::message) {
    write_message(json, item.id, status, item.parts);
  } else if (item.kind == Kind::reasoning) {
    write_reasoning(json, item.id, item.parts, item.seal);
  } else {
    write_call(json, {item.form, item.id, status, item.call_id, item.name, item.name_space,
                      item.arguments});
  }
  json.end_object();
  return text;
}

}  // namespace understudy::llm::detail::openai_responses
