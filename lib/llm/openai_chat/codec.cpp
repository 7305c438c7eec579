#include "understudy/llm/openai_chat.hpp"

#include "encoder.hpp"
#include "llm/error_body.hpp"
#include "llm/openai_error.hpp"
#include "reader.hpp"
#include "request.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::llm {
namespace {

/// All text of one kind, which Chat has in one field.
std::string all(const Answer& answer, AnswerBlock::Kind kind) {
  std::string text;
  for (const auto& block : answer.blocks) {
    text += block.kind == kind ? block.text : "";
  }
  return text;
}

void write_calls(JsonWriter& json, const Answer& answer) {
  const auto call = [](const AnswerBlock& block) {
    return block.kind == AnswerBlock::Kind::tool_call && block.complete;
  };
  bool any = false;
  for (const auto& block : answer.blocks) {
    any = any || call(block);
  }
  if (!any) {
    return;
  }
  json.key("tool_calls").begin_array();
  for (const auto& block : answer.blocks) {
    if (call(block)) {
      json.begin_object().member("id", block.id).member("type", "function").key("function");
      json.begin_object().member("name", block.name);
      json.member("arguments", block.arguments.empty() ? "{}" : block.arguments);
      json.end_object().end_object();
    }
  }
  json.end_array();
}

class OpenaiChat final : public Codec {
 public:
  Protocol protocol() const noexcept override { return Protocol::openai_chat; }

  void write_request(const Request& request, std::string& out) const override {
    detail::openai_chat::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    return detail::openai_chat::read_request(body);
  }

  Error read_error(std::string_view body, std::string& scratch) const override {
    return detail::read_error_body(body, scratch);
  }

  void write_error(const Error& error, unsigned status, std::string& out) const override {
    detail::write_openai_error_body(error, status, out);
  }

  std::unique_ptr<EventEncoder> encoder(const Request& asked,
                                        std::chrono::sys_seconds created) const override {
    return std::make_unique<detail::openai_chat::Encoder>(asked.stream_usage, created);
  }

  void write_answer(const Answer& answer, std::string& out,
                    std::chrono::sys_seconds created) const override {
    using Kind = AnswerBlock::Kind;
    const auto text = answer.text();
    const auto refusal = all(answer, Kind::refusal);
    const auto reasoning = all(answer, Kind::reasoning);
    JsonWriter json(out);
    json.begin_object().member("id", answer.id).member("object", "chat.completion");
    json.member("created", created.time_since_epoch().count())
        .member("model", answer.model)
        .key("choices")
        .begin_array();
    json.begin_object().member("index", 0).key("message").begin_object();
    json.member("role", "assistant").key("content");
    text.empty() ? json.null() : json.value(text);
    if (!refusal.empty()) {
      json.member("refusal", refusal);
    }
    if (!reasoning.empty()) {
      json.member("reasoning_content", reasoning);
    }
    write_calls(json, answer);
    json.end_object().key("finish_reason");
    answer.finish
        ? json.value(detail::openai_chat::finish_word(*answer.finish, answer.native_finish))
        : json.null();
    json.end_object().end_array();
    detail::openai_chat::write_usage(json, answer.usage);
    json.end_object();
  }

  std::unique_ptr<detail::PayloadReader> reader() const override {
    return std::make_unique<detail::openai_chat::Reader>();
  }
};

}  // namespace

const Codec& openai_chat() noexcept {
  static const OpenaiChat codec;
  return codec;
}

}  // namespace understudy::llm
