#include "understudy/llm/anthropic_messages.hpp"

#include <algorithm>

#include "encoder.hpp"
#include "llm/error_body.hpp"
#include "llm/request_json.hpp"
#include "reader.hpp"
#include "request.hpp"
#include "understudy/llm/answer.hpp"

namespace understudy::llm {
namespace {

/// protocols.md 2.4.
std::string_view error_type(unsigned status) {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 409: return "conflict_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 504: return "timeout_error";
    case 503:
    case 529: return "overloaded_error";
    default: return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
  }
}

void write_block(JsonWriter& json, const AnswerBlock& block) {
  using Kind = AnswerBlock::Kind;
  switch (block.kind) {
    case Kind::text:
    case Kind::refusal:
      json.begin_object().member("type", "text").member("text", block.text).end_object();
      break;
    case Kind::reasoning:
      if (block.seal_kind == ReasoningSeal::Kind::redacted) {
        json.begin_object().member("type", "redacted_thinking").member("data", block.seal);
        json.end_object();
      } else if (block.seal_kind != ReasoningSeal::Kind::encrypted) {
        json.begin_object().member("type", "thinking").member("thinking", block.text);
        json.member("signature", block.seal).end_object();
      }
      break;
    case Kind::tool_call:
      if (block.complete) {
        json.begin_object().member("type", "tool_use").member("id", block.id);
        json.member("name", block.name).key("input");
        json.raw(detail::object_or_empty(block.arguments)).end_object();
      }
      break;
  }
}

class AnthropicMessages final : public Codec {
 public:
  Protocol protocol() const noexcept override { return Protocol::anthropic_messages; }

  void write_request(const Request& request, std::string& out) const override {
    detail::anthropic::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    return detail::anthropic::read_request(body);
  }

  Error read_error(std::string_view body, std::string& scratch) const override {
    return detail::read_error_body(body, scratch);
  }

  void write_error(const Error& error, unsigned status, std::string& out) const override {
    Error typed = error;
    typed.type = error.type.empty() ? error_type(status) : error.type;
    JsonWriter json(out);
    json.begin_object().member("type", "error");
    detail::anthropic::write_error(json, typed);
    json.end_object();
  }

  std::unique_ptr<EventEncoder> encoder(const Request&, std::chrono::sys_seconds) const override {
    return std::make_unique<detail::anthropic::Encoder>();
  }

  void write_answer(const Answer& answer, std::string& out,
                    std::chrono::sys_seconds) const override {
    JsonWriter json(out);
    json.begin_object().member("id", answer.id).member("type", "message");
    json.member("role", "assistant").member("model", answer.model).key("content").begin_array();
    for (const auto& block : answer.blocks) {
      write_block(json, block);
    }
    json.end_array();
    detail::anthropic::write_stop(
        json,
        answer.finish ? detail::anthropic::stop_word(*answer.finish, answer.native_finish)
                      : std::string_view(),
        answer.stop_sequence);
    detail::anthropic::write_usage(json, answer.usage);
    json.end_object();
  }

  std::unique_ptr<detail::PayloadReader> reader() const override {
    return std::make_unique<detail::anthropic::Reader>();
  }
};

}  // namespace

const Codec& anthropic_messages() noexcept {
  static const AnthropicMessages codec;
  return codec;
}

}  // namespace understudy::llm
