#include "responses_reader.hpp"

#include <array>

#include "error_body.hpp"
#include "responses_words.hpp"

namespace understudy::detail {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;
using Kind = OpenBlock::Kind;

constexpr const char* malformed = "malformed JSON";

/// What stands between two parts of one reasoning item: each is a paragraph of its own.
constexpr std::string_view paragraph = "\n\n";

struct Said {
  std::string_view name;
  Kind kind;
  bool refusal;
};

/// What text is said in: `response.NAME.delta` and `response.NAME.done`.
constexpr std::array said_in{
    Said{"output_text", Kind::text, false},
    Said{"function_call_arguments", Kind::tool, false},
    Said{"reasoning_summary_text", Kind::reasoning, false},
    Said{"reasoning_text", Kind::reasoning, false},
    Said{"refusal", Kind::text, true},
};

/// Events of items that only this API has, which are progress: a search, a tool that the server runs, the
/// input of a custom tool, an annotation.
constexpr std::array<std::string_view, 5> parts_of_names{"_call.", "_call_", "mcp_list_tools.",
                                                         "audio.", "annotation."};

bool part_of_answer(std::string_view type) {
  return type.starts_with("response.") &&
         std::any_of(parts_of_names.begin(), parts_of_names.end(), [&](std::string_view part) {
           return type.find(part) != std::string_view::npos;
         });
}

/// Where a part stands, as one number. Numbers beyond what is ever seen may fall together.
constexpr std::size_t part_bits = 16;
std::size_t wire(std::size_t item, std::size_t part) {
  return (item << (part_bits + 1)) | (part & ((std::size_t{1} << part_bits) - 1));
}
/// For a part whose begin was seen.
std::size_t mark(std::size_t item, std::size_t part) {
  return wire(item, part) | (std::size_t{1} << part_bits);
}
bool in_item(const OpenBlock& block, std::size_t item) {
  return block.wire >> (part_bits + 1) == wire(item, 0) >> (part_bits + 1);
}

std::optional<value> member(json::ondemand::object& object, std::string_view name) {
  value found;
  if (object.find_field_unordered(name).get(found) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return found;
}

}  // namespace

const char* ResponsesReader::read(std::string_view name, std::string_view data, EventSink& sink) {
  if (data.substr(std::min(data.find_first_not_of(' '), data.size())).starts_with("[DONE]")) {
    if (ended_) {  // some servers send both
      sink.emit(Other("[DONE]", false));
    } else {
      sink.emit(End());
    }
    return nullptr;
  }
  const char* const why = read_payload(name, data, sink);
  lost_ = lost_ || why != nullptr;
  return why;
}

const char* ResponsesReader::read_payload(std::string_view name, std::string_view data,
                                          EventSink& sink) {
  auto& arena = sink.arena();
  json::Parser parser(data, arena);
  auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  Fields fields;
  fields.type = name;
  if (!json::members(*object, [&](raw_json_string key, value& v) __attribute__((always_inline)) {
        switch (*key.raw()) {
          case 't':
            if (key == "type") {
              fields.type = json::raw_string(v).value_or(name);
              return true;
            }
            break;
          case 'o':
            if (key == "output_index") {
              fields.item = json::count(v).value_or(0);
            }
            return true;
          case 'c':
            if (key == "content_index") {
              fields.part = json::count(v).value_or(0);
            }
            return true;
          case 's':
            if (key == "summary_index") {
              fields.part = json::count(v).value_or(0);
            }
            return true;
          default: break;
        }
        if (key == "delta" || key == "text" || key == "refusal" || key == "arguments") {
          fields.said = json::raw_string(v);
          fields.malformed = !fields.said && !json::is_null(v);
        }
        return true;
      })) {
    return malformed;
  }
  const auto type = json::unescaped(fields.type, arena).value_or(fields.type);
  if (type.ends_with(".delta") || type.ends_with("_text.done") || type.ends_with("refusal.done") ||
      type.ends_with("arguments.done")) {
    return read_said(type, fields, sink) ? nullptr : malformed;
  }
  if (type == "response.output_item.added" || type == "response.output_item.done") {
    const bool done = type.ends_with(".done");
    return read_item_event(fields, done, *object, sink) ? nullptr : malformed;
  }
  if (type == "response.content_part.added" || type == "response.reasoning_summary_part.added") {
    begin_part(fields, type.starts_with("response.reasoning"), sink);
    return nullptr;
  }
  const bool marker =
      type == "response.created" || type == "response.in_progress" || type == "response.queued";
  const auto status = responses_terminal(type);
  if (marker || status) {
    if (ended_) {
      sink.emit(Other(type, false));
      return nullptr;
    }
    auto inner = member(*object, "response");
    Object body;
    Response response;
    if (!inner || inner->get_object().get(body) != simdjson::SUCCESS ||
        !read_response(body, response, !marker && !said_, sink)) {
      return malformed;
    }
    sink.model = response.model;
    if (marker) {
      read_marker(type, response, sink);
      return nullptr;
    }
    finish(status->empty() ? response.status : *status, response, data, sink);
    return nullptr;
  }
  if (type == "keepalive" || type == "ping") {
    sink.emit(Heartbeat());
  } else if (type == "error") {
    sink.emit(read_error_body(data, arena));
  } else if (const auto error = type.empty() ? read_error_body(data, arena) : Error();
             !error.message.empty() || !error.code.empty()) {
    sink.emit(error);
  } else {
    sink.emit(Other(type, part_of_answer(type)));
  }
  return nullptr;
}

const char* ResponsesReader::read_whole(std::string_view body, EventSink& sink) {
  json::Parser parser(body, sink.arena());
  auto object = parser.object();
  if (!object) {
    return parser.why();
  }
  auto kind = member(*object, "object");
  if (!kind || json::text(*kind, sink.arena()) != "response") {
    sink.emit(read_error_body(body, sink.arena()));
    return nullptr;
  }
  Response response;
  object->reset();
  if (!read_response(*object, response, true, sink)) {
    return malformed;
  }
  sink.model = response.model;
  if (response.status == "queued" || response.status == "in_progress") {
    return "the answer is not finished";
  }
  finish(response.status, response, body, sink);
  return nullptr;
}

/// A delta, or the whole of what deltas should have said.
bool ResponsesReader::read_said(std::string_view type, const Fields& fields, EventSink& sink) {
  const bool done = type.ends_with(".done");
  const auto name = type.substr(0, type.rfind('.'));
  const auto* const found = std::find_if(said_in.begin(), said_in.end(), [&](const Said& s) {
    return name.starts_with("response.") && name.substr(9) == s.name;
  });
  if (found == said_in.end()) {
    sink.emit(Other(type, part_of_answer(type) && fields.said != ""));
    return true;
  }
  const auto text = fields.said ? json::unescaped(*fields.said, sink.arena()) : std::string_view();
  if (!text || fields.malformed) {
    return false;
  }
  // Reasoning items have one block for all their parts; what was not said of them, the item's end says.
  const auto at = wire(fields.item, found->kind == Kind::text ? fields.part : 0);
  const auto* const open = blocks_.find(at);
  const bool known = open != nullptr && open->kind == found->kind;
  const bool no_arguments = done && found->kind == Kind::tool && *text == "{}";
  const bool repeated =
      no_arguments || (done && (found->kind == Kind::reasoning || (known && open->said > 0)));
  const bool without_begin = found->kind == Kind::tool && !known;
  if (text->empty() || repeated || without_begin) {
    sink.emit(Other(type, without_begin && !text->empty()));
    return true;
  }
  return say(at, found->kind, *text, found->refusal, sink);
}

bool ResponsesReader::say(std::size_t at, Kind kind, std::string_view text, bool refusal,
                          EventSink& sink) {
  OpenBlock* const open = opened(at, kind);
  if (open == nullptr) {
    return false;
  }
  open->said += text.size();
  said_ = true;
  refused_ = refused_ || refusal;
  if (kind == Kind::text) {
    sink.emit(Text(open->block, text, refusal));
  } else if (kind == Kind::reasoning) {
    sink.emit(Reasoning(open->block, text));
  } else {
    open->arguments.add(text);
    sink.emit(ToolArguments(open->block, text));
  }
  return true;
}

OpenBlock* ResponsesReader::opened(std::size_t at, Kind kind) {
  OpenBlock* const open = blocks_.find(at);
  return open != nullptr && open->kind == kind ? open : blocks_.open(at, kind);
}

bool ResponsesReader::read_item_event(const Fields& fields, bool done, Object& object,
                                      EventSink& sink) {
  auto v = member(object, "item");
  Item item;
  if (!v || !read_item(*v, item, sink.arena())) {
    return false;
  }
  return done ? end_item(fields.item, item, sink) : begin_item(fields.item, item, sink);
}

bool ResponsesReader::read_item(Value& v, Item& item, Arena& arena) {
  const auto pieces = [&](value& list) {
    return json::elements_of(list, [&](value& element) {
      auto& piece = item.pieces.emplace_back(false, std::string_view());
      return json::members_of(element, [&](raw_json_string key, value& text) {
        if (key == "text" || key == "refusal") {
          piece.text = json::text(text, arena);
          piece.refusal = key == "refusal";
        }
        return true;
      });
    });
  };
  return json::members_of(v, [&](raw_json_string key, value& field) {
    if (key == "type") {
      item.type = json::text(field, arena);
    } else if (key == "id") {
      item.id = json::text(field, arena);
    } else if (key == "call_id") {
      item.call_id = json::text(field, arena);
    } else if (key == "name") {
      item.name = json::text(field, arena);
    } else if (key == "arguments") {
      item.arguments = json::text(field, arena);
    } else if (key == "encrypted_content") {
      item.seal = json::text(field, arena);
    } else if (key == "status") {
      item.status = json::text(field, arena);
    } else if (key == "content" || key == "summary") {
      return pieces(field);
    }
    return true;
  });
}

bool ResponsesReader::begin_item(std::size_t index, const Item& item, EventSink& sink) {
  const bool fresh = index >= items_seen_;
  items_seen_ = std::max(items_seen_, index + 1);
  if (item.type != "function_call") {
    sink.emit(Other(item.type, fresh));
    return true;
  }
  const auto* const open = blocks_.find(wire(index, 0));
  if (open != nullptr && open->kind == Kind::tool) {
    sink.emit(Other(item.type, false));
    return true;
  }
  const auto* const call = blocks_.open(wire(index, 0), Kind::tool);
  if (call == nullptr) {
    return false;
  }
  called_ = said_ = true;
  sink.emit(ToolStart(call->block, item.call_id.empty() ? item.id : item.call_id, item.name));
  return true;
}

/// The whole item. What was said of it before is not said again.
bool ResponsesReader::end_item(std::size_t index, const Item& item, EventSink& sink) {
  const auto before = sink.size();
  const auto unsaid = [&](std::size_t at, Kind kind) {
    const auto* const open = blocks_.find(at);
    return open == nullptr || open->kind != kind || open->said == 0;
  };
  bool read = true;
  bool progress = false;
  if (item.type == "message") {
    for (std::size_t i = 0; i < item.pieces.size(); ++i) {
      const auto& piece = item.pieces[i];
      if (!piece.text.empty() && unsaid(wire(index, i), Kind::text)) {
        read = read && say(wire(index, i), Kind::text, piece.text, piece.refusal, sink);
      }
    }
  } else if (item.type == "reasoning") {
    if (unsaid(wire(index, 0), Kind::reasoning)) {
      for (const auto& piece : item.pieces) {
        if (!piece.text.empty()) {
          const bool first = sink.size() == before;
          read = read && (first || say(wire(index, 0), Kind::reasoning, paragraph, false, sink)) &&
                 say(wire(index, 0), Kind::reasoning, piece.text, false, sink);
        }
      }
    }
    if (!item.seal.empty()) {
      const auto* const open = opened(wire(index, 0), Kind::reasoning);
      read = read && open != nullptr;
      if (open != nullptr) {
        said_ = true;
        sink.emit(ReasoningSeal(open->block, ReasoningSeal::Kind::encrypted, item.seal, item.id));
      }
    }
  } else if (item.type == "function_call") {
    const auto* open = blocks_.find(wire(index, 0));
    if (open == nullptr || open->kind != Kind::tool) {
      read = begin_item(index, item, sink);
    }
    const bool none = item.arguments.empty() || item.arguments == "{}";
    if (read && !none && unsaid(wire(index, 0), Kind::tool)) {
      read = say(wire(index, 0), Kind::tool, item.arguments, false, sink);
    }
    open = blocks_.find(wire(index, 0));
    if (read && open != nullptr) {
      const bool whole = open->arguments.empty() || open->arguments.whole();
      const bool hole = lost_ && !none && open->said != item.arguments.size();
      sink.emit(ToolEnd(open->block, whole && !hole && item.status != "incomplete"));
    }
  } else {
    called_ = called_ || item.type == "custom_tool_call";
    progress = true;
  }
  blocks_.close_if([&](const OpenBlock& block) { return in_item(block, index); });
  items_seen_ = std::max(items_seen_, index + 1);
  if (sink.size() == before) {
    sink.emit(Other(item.type, progress));
  }
  return read;
}

void ResponsesReader::begin_part(const Fields& fields, bool summary, EventSink& sink) {
  const bool fresh = blocks_.find(mark(fields.item, fields.part)) == nullptr;
  const auto* const open = blocks_.find(wire(fields.item, 0));
  const bool another =
      summary && fresh && open != nullptr && open->kind == Kind::reasoning && open->said > 0;
  if (fresh) {  // last: `open` is not to be looked at afterwards
    blocks_.open(mark(fields.item, fields.part), Kind::other);
  }
  if (!another || !say(wire(fields.item, 0), Kind::reasoning, paragraph, false, sink)) {
    sink.emit(Other(summary ? "summary_part" : "content_part", fresh));
  }
}

void ResponsesReader::read_marker(std::string_view type, const Response& response,
                                  EventSink& sink) {
  const bool created = type == "response.created";
  const bool again = started_ && created && said_;  // another answer, spliced in
  if (again) {
    blocks_.end_all(sink, [](const OpenBlock&) { return false; });
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
bool ResponsesReader::read_response(Object& object, Response& response, bool output,
                                    EventSink& sink) {
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

bool ResponsesReader::read_usage(Value& usage) {
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

void ResponsesReader::finish(std::string_view status, const Response& response,
                             std::string_view data, EventSink& sink) {
  const bool failed = status == "failed" || status == "cancelled";
  if (!started_ && !failed) {
    started_ = true;
    const auto model = json::unescaped(response.model, sink.arena()).value_or(response.model);
    sink.emit_at(0, Start(response.id, model));
  }
  if (failed) {
    Error error = response.error;
    error.code = error.code.empty() && status == "cancelled" ? status : error.code;
    error.json = data;
    if (response.counted) {
      sink.emit(usage_);
    }
    sink.emit(error);
    return;
  }
  const bool in_full = status != "incomplete";
  blocks_.end_all(sink, [&](const OpenBlock& call) {
    return in_full && !lost_ && (call.arguments.whole() || call.arguments.empty());
  });
  if (in_full) {
    sink.emit(Finish(called_    ? FinishReason::tool_use
                     : refused_ ? FinishReason::refusal
                                : FinishReason::stop,
                     "completed"));
  } else {
    sink.emit(Finish(responses_finish(response.reason),
                     response.reason.empty() ? status : response.reason));
  }
  if (response.counted) {
    sink.emit(usage_);
  }
  ended_ = true;
  sink.emit(End());
}

void ResponsesReader::restart() {
  blocks_.restart();
  items_seen_ = 0;
  usage_ = Usage();
  started_ = in_progress_ = said_ = called_ = refused_ = lost_ = false;
}

}  // namespace understudy::detail
