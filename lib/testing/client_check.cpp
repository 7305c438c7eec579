#include "client_check.hpp"

#include <algorithm>

namespace understudy::testing {
namespace {

using Json = simdjson::dom::element;

/// Empty: it is not there, or not text.
std::string_view text_at(const Json& json, std::string_view pointer) {
  std::string_view text;
  return json.at_pointer(pointer).get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::uint64_t number_at(const Json& json, std::string_view pointer) {
  std::uint64_t number = 0;
  return json.at_pointer(pointer).get(number) == simdjson::SUCCESS ? number : 0;
}

bool has(const Json& json, std::string_view pointer) {
  Json value;
  return json.at_pointer(pointer).get(value) == simdjson::SUCCESS && !value.is_null();
}

template <class Use>
void each_at(const Json& json, std::string_view pointer, Use use) {
  simdjson::dom::array list;
  if (json.at_pointer(pointer).get(list) == simdjson::SUCCESS) {
    for (const Json element : list) {
      use(element);
    }
  }
}

}  // namespace

void ClientCheck::complain(std::string_view what) {
  constexpr std::size_t longest = 2'000;
  if (complaint_.size() < longest) {
    complaint_ += std::string("a client of ") += std::string(to_string(protocol_)) += ": ";
    complaint_ += what;
    complaint_ += "; ";
  }
}

void ClientCheck::take(std::string_view frames) {
  constexpr std::string_view field = "data: ";
  while (!frames.empty()) {
    const auto line = frames.substr(0, frames.find('\n'));
    frames.remove_prefix(std::min(line.size() + 1, frames.size()));
    if (line.starts_with(field)) {
      read(std::string(line.substr(field.size())));
    }
  }
}

void ClientCheck::read(const std::string& data) {
  if (failed_) {
    return complain("something comes after the error");
  }
  if (data == "[DONE]") {
    ended_ = true;
    return;
  }
  Json json;
  if (parser_.parse(data).get(json) != simdjson::SUCCESS) {
    return complain("no JSON: " + data);
  }
  switch (protocol_) {
    case llm::Protocol::openai_chat: return read_chat(json);
    case llm::Protocol::anthropic_messages: return read_messages(json);
    case llm::Protocol::openai_responses: return read_responses(json);
  }
}

void ClientCheck::read_chat(const Json& json) {
  failed_ = has(json, "/error");
  say(text_at(json, "/choices/0/delta/content"));
  each_at(json, "/choices/0/delta/tool_calls", [this](const Json& one) {
    call(number_at(one, "/index"), text_at(one, "/function/name"),
         text_at(one, "/function/arguments"));
  });
  if (has(json, "/choices/0/finish_reason")) {
    finish(text_at(json, "/choices/0/finish_reason"));
  }
}

void ClientCheck::read_messages(const Json& json) {
  const auto type = text_at(json, "/type");
  const auto index = number_at(json, "/index");
  failed_ = type == "error";
  if (type == "content_block_start" && text_at(json, "/content_block/type") == "tool_use") {
    call(index, text_at(json, "/content_block/name"), {});
  } else if (type == "content_block_start" || type == "content_block_delta") {
    say(text_at(json, "/content_block/text"));
    say(text_at(json, "/delta/text"));
    const auto arguments = text_at(json, "/delta/partial_json");
    if (!arguments.empty()) {
      call(index, {}, arguments);
    }
  } else if (type == "message_delta" && has(json, "/delta/stop_reason")) {
    finish(text_at(json, "/delta/stop_reason"));
  } else if (type == "message_stop") {
    ended_ = true;
  }
}

/// Items count as their ends state them.
void ClientCheck::read_responses(const Json& json) {
  const auto type = text_at(json, "/type");
  if (type == "response.output_text.delta") {
    say(text_at(json, "/delta"));
  } else if (type == "response.output_item.done" &&
             text_at(json, "/item/type") == "function_call") {
    call(number_at(json, "/output_index"), text_at(json, "/item/name"),
         text_at(json, "/item/arguments"));
  } else if (type == "response.completed" || type == "response.incomplete") {
    ended_ = true;
    finish(text_at(json, "/response/status"));
    std::string text;
    std::size_t calls = 0;
    each_at(json, "/response/output", [&](const Json& item) {
      each_at(item, "/content", [&](const Json& part) { text += text_at(part, "/text"); });
      if (text_at(item, "/type") == "function_call" && calls < right_.calls.size() &&
          text_at(item, "/arguments") != right_.calls[calls++].arguments) {
        complain("the response's own arguments are " + std::string(text_at(item, "/arguments")));
      }
    });
    if (text != right_.text || calls != right_.calls.size()) {
      complain("the response itself is not the answer: " + text);
    }
  }
  failed_ = type == "response.failed";  // an `error` goes before it
}

void ClientCheck::say(std::string_view text) {
  if (text.empty()) {
    return;
  }
  if (finished_) {
    complain("text comes after the finish");
  }
  const bool was_right = right_.text.starts_with(text_);
  text_ += text;
  if (was_right && !right_.text.starts_with(text_)) {
    complain("the text is no beginning of what is right: " + text_);
  }
}

void ClientCheck::call(std::uint64_t index, std::string_view name, std::string_view arguments) {
  if (finished_) {
    complain("a tool call comes after the finish");
  }
  auto& one = calls_.try_emplace(index, std::string(), std::string()).first->second;
  one.name += name;
  one.arguments += arguments;
}

void ClientCheck::finish(std::string_view word) {
  if (std::exchange(finished_, true)) {
    return complain("it finishes twice");
  }
  const bool called = !right_.calls.empty();
  const bool right =
      protocol_ == llm::Protocol::anthropic_messages ? word == (called ? "tool_use" : "end_turn")
      : protocol_ == llm::Protocol::openai_chat  // `stop` also after calls, if the provider says so
          ? word == "stop" || (called && word == "tool_calls")
          : word == "completed";
  if (!right) {
    complain("it finishes with " + std::string(word));
  }
  if (text_ != right_.text) {
    complain("a neat end to a part of the text: " + text_);
  }
  if (calls_.size() != right_.calls.size()) {
    complain("it finishes with " + std::to_string(calls_.size()) + " tool calls");
  }
  std::size_t i = 0;
  for (const auto& [index, one] : calls_) {
    if (i < right_.calls.size() &&
        (one.name != right_.calls[i].name || one.arguments != right_.calls[i].arguments)) {
      complain("a tool call is " + one.name + one.arguments);
    }
    ++i;
  }
}

void ClientCheck::end(bool complete) {
  if (complete && (!finished_ || !ended_ || failed_)) {
    complain("it is complete without a finish, a terminal, or with an error");
  }
  if (!complete && (finished_ || !failed_)) {
    complain("it failed, and the client was told nothing, or a finish");
  }
}

}  // namespace understudy::testing
