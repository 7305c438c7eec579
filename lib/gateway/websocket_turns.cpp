#include "websocket_turns.hpp"

#include <utility>

#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::gateway::detail {
namespace {

using text::JsonEdit;
using text::JsonEdits;

std::string word_at(std::string_view json, const text::JsonPath& path) {
  const auto value = text::json_at(json, path);
  return value.starts_with('"') ? json::unescaped_text(value) : std::string();
}

/// The elements of an array, without its brackets; empty if it is not one.
std::string_view inside(std::string_view array) {
  if (!array.starts_with('[') || !array.ends_with(']')) {
    return {};
  }
  array = array.substr(1, array.size() - 2);
  return array.find_first_not_of(" \t\r\n") == std::string_view::npos ? std::string_view() : array;
}

/// The input as elements: a text is the message of a user.
std::string elements_of(std::string_view input) {
  if (!input.starts_with('"')) {
    return std::string(inside(input));
  }
  return R"({"type":"message","role":"user","content":)" + std::string(input) + "}";
}

std::string joined(std::string a, std::string_view b) {
  a.append(a.empty() || b.empty() ? "" : ",").append(b);
  return a;
}

WebSocketTurns::Refusal wrong(std::string message) {
  return {400, "invalid_request_error", std::move(message)};
}

}  // namespace

void WebSocketTurns::forget() {
  id_.clear();
  input_ = std::string();
  asked_ = std::string();
  continued_.clear();
}

void WebSocketTurns::keep(std::string id, std::string input) {
  forget();
  if (input.size() <= longest_) {
    id_ = std::move(id);
    input_ = std::move(input);
  }
}

WebSocketTurns::Turn WebSocketTurns::read(std::string_view message, const std::string& id,
                                          long long created) {
  const auto type = word_at(message, {"type"});
  if (type != "response.create") {
    return wrong(type.empty() ? "the message is not a JSON object with a `type`"
                              : "the type `" + type.substr(0, 64) +
                                    "` is not supported; send `response.create`");
  }
  // Older clients put the request into a member.
  const auto nested = text::json_at(message, {"response"});
  const auto request = nested.starts_with('{') ? nested : message;
  if (!text::json_at(request, {"stream_id"}).empty()) {
    return wrong("`stream_id` is not supported: responses of one connection follow each other");
  }
  auto input = elements_of(text::json_at(request, {"input"}));
  const auto previous = word_at(request, {"previous_response_id"});
  JsonEdits edits{JsonEdit::remove({"type"}), JsonEdit::remove({"background"}),
                  JsonEdit::remove({"generate"}), JsonEdit::set({"stream"}, "true")};
  if (!previous.empty()) {
    if (previous != id_) {
      forget();
      return Refusal{400, "previous_response_not_found",
                     "the response `" + previous.substr(0, 128) +
                         "` is not the last one of this connection; send the whole input"};
    }
    input = joined(input_, input);
    edits.push_back(JsonEdit::remove({"previous_response_id"}));
  }
  edits.push_back(JsonEdit::set({"input"}, "[" + input + "]"));
  if (text::json_at(request, {"generate"}) == "false") {
    const auto model = word_at(request, {"model"});
    keep(id, std::move(input));
    const auto event = [&](const char* name, const char* status, int number) {
      std::string text;
      JsonWriter json(text);
      json.begin_object().member("type", name).member("sequence_number", number);
      json.key("response").begin_object().member("id", id).member("object", "response");
      json.member("created_at", created).member("status", status).member("model", model);
      json.key("output").begin_array().end_array().end_object().end_object();
      return text;
    };
    return Reply{
        {event("response.created", "in_progress", 0), event("response.completed", "completed", 1)}};
  }
  auto body = text::edit_json(request, edits);
  if (!body) {
    return wrong("the message is not a well-formed JSON object");
  }
  asked_ = std::move(input);
  continued_ = previous;
  return Ask{std::move(*body)};
}

std::optional<std::string> WebSocketTurns::event(std::string_view json) {
  const auto type = word_at(json, {"type"});
  std::optional<std::string> told;
  const auto response = continued_.empty() ? std::string_view() : text::json_at(json, {"response"});
  if (response.starts_with('{')) {
    told = text::edit_json(
        json, {JsonEdit::set({"response", "previous_response_id"}, json::quoted(continued_))});
  }
  if (type == "response.completed" || type == "response.incomplete") {
    keep(word_at(json, {"response", "id"}),
         joined(std::exchange(asked_, std::string()),
                inside(text::json_at(json, {"response", "output"}))));
  } else if (type == "response.failed" || type == "error") {
    forget();
  }
  return told;
}

std::string websocket_error(unsigned status, std::string_view error_json) {
  return R"({"type":"error","status":)" + std::to_string(status) + R"(,"error":)" +
         (error_json.starts_with('{') ? std::string(error_json) : std::string("{}")) + "}";
}

}  // namespace understudy::gateway::detail
