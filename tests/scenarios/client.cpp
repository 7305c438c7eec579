#include "client.hpp"

#include <algorithm>

#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/runtime/race.hpp"

namespace scenarios {
namespace {

constexpr std::size_t longest_body = std::size_t{1} << 20;

std::string path_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::anthropic_messages: return "/v1/messages";
    case Protocol::openai_chat: return "/v1/chat/completions";
    case Protocol::openai_responses: return "/v1/responses";
  }
  return {};
}

std::string in_words(const Error& error) {
  return std::string(error.type) + " " + std::string(error.code) + ": " +
         std::string(error.message);
}

/// Takes the events of an answer.
class Listener {
 public:
  Listener(const Question& question, Heard& heard)
      : question_(question),
        heard_(heard),
        decoder_(question.protocol, question.stream ? BodyShape::stream : BodyShape::whole) {}

  void feed(std::string_view part) {
    heard_.body += part;
    decoder_.feed(part);
    take();
  }
  void end() {
    decoder_.end();
    take();
  }
  bool leaves() const noexcept {
    return question_.leaves_after > 0 && heard_.pieces >= question_.leaves_after;
  }

 private:
  void take() {
    while (const Event* event = decoder_.next()) {
      heard_.answer.add(*event);
      if (!event->model.empty()) {
        heard_.last_model = event->model;
      }
      if (const auto* error = std::get_if<Error>(&event->body)) {
        heard_.error = in_words(*error);
      } else if (says_something(*event)) {
        const auto now = Clock::now();
        heard_.longest_gap = std::max(heard_.longest_gap, now - heard_.last_content.value_or(now));
        heard_.last_content = now;
        heard_.first_content = heard_.first_content.value_or(now);
        ++heard_.pieces;
      }
    }
    heard_.undecodable = decoder_.undecodable();
  }

  static bool says_something(const Event& event) {
    return std::holds_alternative<Text>(event.body) ||
           std::holds_alternative<Reasoning>(event.body) ||
           std::holds_alternative<ToolArguments>(event.body);
  }

  const Question& question_;
  Heard& heard_;
  EventDecoder decoder_;
};

asio::awaitable<void> listen(HttpClient& http, std::uint16_t port, const Question& question,
                             const HttpRequest& request, Heard& heard) {
  const Endpoint there(Scheme::http, "127.0.0.1", port);
  IgnoreIo nobody;
  auto response = co_await http.send(there, request, nobody);
  if (response.has_error()) {
    heard.broken = true;
    co_return;
  }
  heard.status = response->status();
  heard.headers = response->headers();
  if (heard.status != 200) {
    const auto body = co_await response->read_all(longest_body);
    heard.body = body.has_value() ? *body : std::string();
    std::string scratch;
    heard.error = in_words(codec_for(question.protocol).read_error(heard.body, scratch));
    co_return;
  }
  Listener listener(question, heard);
  while (!listener.leaves()) {
    const auto part = co_await response->read();
    if (part.has_error()) {
      heard.broken = true;
      co_return;
    }
    if (part->empty()) {
      listener.end();
      co_return;
    }
    listener.feed(*part);
  }
  response->abort();
}

}  // namespace

HttpRequest Question::request() const {
  Request asked(model);
  asked.messages.emplace_back(Role::user, "Is the north tank full?" + std::string(padding, ' '));
  asked.max_tokens = 1000;
  asked.stream = stream;
  std::string body;
  codec_for(protocol).write_request(asked, body);
  HttpRequest request("POST", path_of(protocol));
  request.with_header("content-type", "application/json").with_body(std::move(body));
  return request;
}

std::string Heard::header(std::string_view name) const {
  return std::string(headers.find(name).value_or(""));
}

std::optional<Clock::duration> Heard::first_content_after() const {
  return first_content ? std::optional(*first_content - began) : std::nullopt;
}

asio::awaitable<Heard> ask(HttpClient& http, std::uint16_t port, Question question) {
  const auto request = question.request();
  Heard heard;
  heard.began = Clock::now();
  auto listening = [&] { return listen(http, port, question, request, heard); };
  auto too_long = [&] { return sleep_for(question.limit); };
  const auto first = co_await race(std::move(listening), std::move(too_long));
  heard.hung = first.index() == 1;
  heard.ended = Clock::now();
  co_return heard;
}

asio::awaitable<std::string> get(HttpClient& http, std::uint16_t port, std::string path) {
  const HttpRequest request("GET", std::move(path));
  const Endpoint there(Scheme::http, "127.0.0.1", port);
  IgnoreIo nobody;
  auto response = co_await http.send(there, request, nobody);
  if (response.has_error()) {
    co_return std::string();
  }
  auto body = co_await response->read_all(longest_body);
  co_return body.has_value() ? std::move(*body) : std::string();
}

}  // namespace scenarios
