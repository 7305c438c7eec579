#include "reader.hpp"

#include <array>

#include "llm/error_body.hpp"
#include "places.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;
using BlockKind = OpenBlock::Kind;

struct Said {
  std::string_view name;
  BlockKind kind;
  bool refusal;
};

/// What text is said in: `response.NAME.delta` and `response.NAME.done`.
constexpr std::array said_in{
    Said{"output_text", BlockKind::text, false},
    Said{"function_call_arguments", BlockKind::tool, false},
    Said{"reasoning_summary_text", BlockKind::reasoning, false},
    Said{"reasoning_text", BlockKind::reasoning, false},
    Said{"refusal", BlockKind::text, true},
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

std::optional<value> member(json::ondemand::object& object, std::string_view name) {
  value found;
  if (object.find_field_unordered(name).get(found) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return found;
}

}  // namespace

const char* Reader::read(std::string_view name, std::string_view data, EventSink& sink) {
  if (is_done_marker(data)) {
    if (ended_) {  // some servers send both
      sink.emit(Other("[DONE]", false));
    } else {
      sink.emit(End());
    }
    return nullptr;
  }
  return read_payload(name, data, sink);
}

const char* Reader::read_payload(std::string_view name, std::string_view data, EventSink& sink) {
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
    return json::malformed;
  }
  const auto type = json::unescaped(fields.type, arena).value_or(fields.type);
  if (type.ends_with(".delta") || type.ends_with("_text.done") || type.ends_with("refusal.done") ||
      type.ends_with("arguments.done")) {
    return read_said(type, fields, sink) ? nullptr : json::malformed;
  }
  if (type == "response.output_item.added" || type == "response.output_item.done") {
    const bool done = type.ends_with(".done");
    return read_item_event(fields, done, *object, sink) ? nullptr : json::malformed;
  }
  if (type == "response.content_part.added" || type == "response.reasoning_summary_part.added") {
    begin_part(fields, type.starts_with("response.reasoning"), sink);
    return nullptr;
  }
  const bool marker =
      type == "response.created" || type == "response.in_progress" || type == "response.queued";
  const auto status = terminal_status(type);
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
      return json::malformed;
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
  } else if (const auto error =
                 type.empty() || type.ends_with("error") ? read_error_body(data, arena) : Error();
             says_error(error)) {
    sink.emit(error);
  } else {
    sink.emit(Other(type, part_of_answer(type)));
  }
  return nullptr;
}

const char* Reader::read_whole(std::string_view body, EventSink& sink) {
  json::Parser parser(body, sink.arena());
  auto object = parser.object();
  if (!object) {
    return read_error_instead(body, parser.why(), sink);
  }
  auto kind = member(*object, "object");
  if (!kind || json::text(*kind, sink.arena()) != "response") {
    sink.emit(read_error_body(body, sink.arena()));
    return nullptr;
  }
  Response response;
  object->reset();
  if (!read_response(*object, response, true, sink)) {
    return json::malformed;
  }
  sink.model = response.model;
  if (response.status == "queued" || response.status == "in_progress") {
    return "the answer is not finished";
  }
  finish(response.status, response, body, sink);
  return nullptr;
}

/// A delta, or the whole of what deltas should have said.
bool Reader::read_said(std::string_view type, const Fields& fields, EventSink& sink) {
  const bool done = type.ends_with(".done");
  const auto name = type.substr(0, type.rfind('.'));
  const auto* const found = std::find_if(said_in.begin(), said_in.end(), [&](const Said& s) {
    return name.starts_with("response.") && name.substr(9) == s.name;
  });
  if (found == said_in.end()) {
    sink.emit(Other(type, part_of_answer(type) && fields.said != ""));
    return true;
  }
  const auto text =
      fields.said ? json::unescaped_piece(*fields.said, sink.arena()) : std::string_view();
  if (!text || fields.malformed) {
    return false;
  }
  // Reasoning items have one block for all their parts; what was not said of them, the item's end says.
  const auto at = wire(fields.item, found->kind == BlockKind::text ? fields.part : 0);
  const auto* const open = blocks_.find(at);
  const bool known = open != nullptr && open->kind == found->kind;
  const bool no_arguments = done && found->kind == BlockKind::tool && *text == "{}";
  const bool repeated =
      no_arguments || (done && (found->kind == BlockKind::reasoning || (known && open->said > 0)));
  const bool without_begin = found->kind == BlockKind::tool && !known;
  if (text->empty() || repeated || without_begin) {
    sink.emit(Other(type, without_begin && !text->empty()));
    return true;
  }
  return say(at, found->kind, *text, found->refusal, sink);
}

bool Reader::say(std::size_t at, BlockKind kind, std::string_view text, bool refusal,
                 EventSink& sink) {
  OpenBlock* const open = opened(at, kind);
  if (open == nullptr) {
    return false;
  }
  const bool first = open->said == 0;
  open->said += text.size();
  said_ = true;
  refused_ = refused_ || refusal;
  if (kind == BlockKind::text) {
    sink.emit(Text(open->block, text, refusal));
  } else if (kind == BlockKind::reasoning) {
    const auto* const named = first ? blocks_.find(last_place(at)) : nullptr;
    sink.emit(
        Reasoning(open->block, text, named == nullptr ? std::string_view() : sink.keep(named->id)));
  } else {
    open->arguments.add(text);
    sink.emit(ToolArguments(open->block, text));
  }
  return true;
}

OpenBlock* Reader::opened(std::size_t at, BlockKind kind) {
  OpenBlock* const open = blocks_.find(at);
  return open != nullptr && open->kind == kind ? open : blocks_.open(at, kind);
}

bool Reader::read_item_event(const Fields& fields, bool done, Object& object, EventSink& sink) {
  auto v = member(object, "item");
  Item item;
  if (!v || !read_item(*v, item, sink.arena())) {
    return false;
  }
  return done ? end_item(fields.item, item, sink) : begin_item(fields.item, item, sink);
}

void Reader::begin_part(const Fields& fields, bool summary, EventSink& sink) {
  const bool fresh = blocks_.find(mark(fields.item, fields.part)) == nullptr;
  const auto* const open = blocks_.find(wire(fields.item, 0));
  const bool another =
      summary && fresh && open != nullptr && open->kind == BlockKind::reasoning && open->said > 0;
  if (fresh) {
    blocks_.open(mark(fields.item, fields.part), BlockKind::other);
  }
  if (!another || !say(wire(fields.item, 0), BlockKind::reasoning, paragraph, false, sink)) {
    sink.emit(Other(summary ? "summary_part" : "content_part", fresh));
  }
}

}  // namespace understudy::llm::detail::openai_responses
