#include "protocol.hpp"

#include <array>
#include <limits>

#include "encoder.hpp"
#include "fold.hpp"
#include "llm/documents.hpp"
#include "llm/error_body.hpp"
#include "llm/made_up_id.hpp"
#include "llm/model_list.hpp"
#include "llm/picker_prefix.hpp"
#include "llm/request_json.hpp"
#include "llm/written_finish.hpp"
#include "reader.hpp"
#include "request.hpp"
#include "stream_mend.hpp"
#include "understudy/llm/answer.hpp"

namespace understudy::llm::detail::anthropic {
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

/// A call's arguments, which must be an object. Of a call that was cut, or that the model wrote wrong, the text is kept
/// in a member that no tool has: an empty object, or one that lacks members, might be run.
void write_input(JsonWriter& json, const AnswerBlock& call) {
  json.key("input");
  if (is_json_object(call.arguments) || (call.complete && call.arguments.empty())) {
    json.raw(object_or_empty(call.arguments));
  } else {
    json.begin_object().member("partial_json", call.arguments).end_object();
  }
}

void write_block(JsonWriter& json, const AnswerBlock& block) {
  using Kind = AnswerBlock::Kind;
  switch (block.kind) {
    case Kind::text:
    case Kind::refusal:
      if (block.text.empty()) {
        break;  // it would be refused when it is sent back
      }
      json.begin_object().member("type", "text").member("text", block.text).end_object();
      break;
    case Kind::reasoning:
      if (block.seal_kind == ReasoningSeal::Kind::redacted) {
        json.begin_object().member("type", "redacted_thinking").member("data", block.seal);
        json.end_object();
      } else {
        // What the Responses API encrypts is not a signature; its summary is thinking all the same.
        const bool foreign = block.seal_kind && *block.seal_kind != ReasoningSeal::Kind::signature;
        if (foreign && block.text.empty()) {
          break;
        }
        json.begin_object().member("type", "thinking").member("thinking", block.text);
        json.member("signature", foreign ? std::string_view() : std::string_view(block.seal));
        json.end_object();
      }
      break;
    case Kind::tool_call:
      json.begin_object().member("type", "tool_use").member("id", block.id);
      json.member("name", block.name);
      write_input(json, block);
      json.end_object();
      break;
  }
}

class AnthropicMessages final : public Codec {
 public:
  Protocol protocol() const noexcept override { return Protocol::anthropic_messages; }

  void write_request(const Request& request, std::string& out) const override {
    anthropic::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    return anthropic::read_request(body);
  }

  Error read_error(std::string_view body, std::string& scratch) const override {
    return read_error_body(body, scratch);
  }

  void write_error(const Error& error, unsigned status, std::string& out) const override {
    Error typed = error;
    typed.type = error.type.empty() ? error_type(status) : error.type;
    JsonWriter json(out);
    json.begin_object().member("type", "error");
    anthropic::write_error(json, typed);
    json.end_object();
  }

  std::unique_ptr<StreamMend> stream_mend(const ReasoningOrigin& origin) const override {
    return make_stream_mend(origin);
  }
  std::unique_ptr<EventEncoder> encoder(const Request& asked,
                                        std::chrono::sys_seconds) const override {
    return std::make_unique<Encoder>(estimated_tokens(asked));
  }

  void write_answer(const Answer& answer, const Request&, std::string& out,
                    std::chrono::sys_seconds) const override {
    JsonWriter json(out);
    json.begin_object().member("id", answer.id.empty() ? made_up_id("msg_") : answer.id);
    json.member("type", "message");
    json.member("role", "assistant").member("model", answer.model).key("content").begin_array();
    for (const auto& block : answer.blocks) {
      write_block(json, block);
    }
    json.end_array();
    const auto finish = written_finish(answer);
    write_stop(json, stop_word(finish),
               finish == FinishReason::stop_sequence ? std::string_view(answer.stop_sequence) : "");
    write_usage(json, answer.usage);
    json.end_object();
  }

  std::string_view stream_error_type(unsigned status) const noexcept override {
    switch (status) {  // protocols.md 2.4
      case 429: return "rate_limit_error";
      case 504: return "timeout_error";
      case 529: return "overloaded_error";
      default: return "api_error";
    }
  }

  /// The name of a model of another maker may have this prefix, so that Claude Code shows it.
  void write_model(std::string_view name, std::string& out) const override {
    JsonWriter(out)
        .begin_object()
        .member("id", name)
        .member("type", "model")
        .member("display_name", name.starts_with(detail::picker_prefix)
                                    ? name.substr(detail::picker_prefix.size())
                                    : name)
        .member("created_at", "1970-01-01T00:00:00Z")
        .end_object();
  }

  void write_models(std::span<const std::string> names, std::string& out) const override {
    JsonWriter json(out);
    json.begin_object().key("data");
    write_model_array(*this, names, json);
    json.member("has_more", false);
    if (!names.empty()) {
      json.member("first_id", names.front()).member("last_id", names.back());
    }
    json.end_object();
  }

  std::optional<OpaquePart> write_document(const Document& document) const override {
    OpaquePart part(Protocol::anthropic_messages, "document", "");
    JsonWriter json(part.json);
    json.begin_object().member("type", part.type).key("source").begin_object();
    if (document.data.empty()) {
      json.member("type", "url").member("url", document.url);
    } else {
      json.member("type", "base64")
          .member("media_type", document.media_type)
          .member("data", document.data);
    }
    json.end_object().member("title", document.name).end_object();
    return part;
  }

  std::unique_ptr<PayloadReader> reader() const override { return std::make_unique<Reader>(); }
  std::unique_ptr<PayloadFold> fold() const override { return std::make_unique<Fold>(); }
};

constexpr std::array headers{NamedValue{"anthropic-version", "2023-06-01"}};  // protocols.md 2.1
constexpr std::array unserved{UnservedMember{
    .name = "thread",
    .harmless = "null",
    .when = UnservedMember::When::always,
    .message = "`thread`: conversations are not stored; send the whole conversation in `messages`",
    .code = "thread_unsupported_request"}};

constinit const AnthropicMessages codec;

}  // namespace

constinit const ProtocolTraits traits{
    .protocol = Protocol::anthropic_messages,
    .name = "anthropic_messages",
    .codec = codec,
    .path = "/messages",
    .base_url_without_version = true,
    .authorization = Authorization::x_api_key,
    .headers = headers,
    .features_header = "anthropic-beta",
    .stream_usage = {},
    .client_header = "anthropic-version",
    .request_id_header = "request-id",
    .overflow_words = "prompt is too long",  // Claude Code compacts when it reads these
    .overloaded_status = 529,                // protocols.md 2.4
    .unserved = unserved,
    .answer_id_prefix = "msg_",
    .finish_is_end = false,
    .heartbeat = "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    .rules =
        {
            .longest_tool_id = 64,
            .longest_tool_name = 128,
            .later_system_messages = false,
            .begins_with_user = true,
            .item_ids = false,
            .image_detail = false,
            .media_in_tool_results = true,
            .failed_tool_results = true,
            .object_arguments = true,
            .object_schemas = true,
            .strict = StrictSchema::anthropic,
            .thinking = ThinkingForm::mode_and_budget,
            .fixed_sampling_with_thinking = true,
            .highest_temperature = 1,
            .top_k = true,
            .seed = false,
            .most_stops = std::numeric_limits<std::size_t>::max(),
            .cache_marks = true,
            .blank_stops = false,
            .max_tokens_required = true,
            .output_needs_schema = true,
        },
};

}  // namespace understudy::llm::detail::anthropic
