#include "protocol.hpp"

#include <array>
#include <limits>

#include "encoder.hpp"
#include "fold.hpp"
#include "llm/documents.hpp"
#include "llm/made_up_id.hpp"
#include "llm/openai_codec.hpp"
#include "llm/request_json.hpp"
#include "llm/written_finish.hpp"
#include "reader.hpp"
#include "request.hpp"
#include "stream_mend.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

/// All text of one kind, which Chat has in one field.
std::string all(const Answer& answer, AnswerBlock::Kind kind) {
  std::string text;
  for (const auto& block : answer.blocks) {
    text += block.kind == kind ? block.text : "";
  }
  return text;
}

/// Also one that was cut, at the token limit: its arguments are what there is of them.
void write_calls(JsonWriter& json, const Answer& answer) {
  const auto call = [](const AnswerBlock& block) {
    return block.kind == AnswerBlock::Kind::tool_call;
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
      const bool custom = block.form == ToolForm::custom;
      const auto* const form = custom ? "custom" : "function";
      json.begin_object().member("id", block.id).member("type", form).key(form);
      json.begin_object().member("name", block.name);
      if (custom) {
        json.member("input", custom_input(block.arguments));
      } else {
        const std::string_view none = block.complete ? "{}" : "";
        json.member("arguments", block.arguments.empty() ? none : block.arguments);
      }
      json.end_object().end_object();
    }
  }
  json.end_array();
}

/// What reasoning has to be sent back, as OpenRouter has it.
void write_details(JsonWriter& json, const Answer& answer) {
  bool any = false;
  for (const auto& block : answer.blocks) {
    if (block.seal_kind != ReasoningSeal::Kind::encrypted || block.seal.empty()) {
      continue;
    }
    if (!any) {
      json.key("reasoning_details").begin_array();
      any = true;
    }
    json.begin_object().member("type", "reasoning.encrypted").member("data", block.seal);
    if (!block.id.empty()) {
      json.member("id", block.id);
    }
    json.end_object();
  }
  if (any) {
    json.end_array();
  }
}

class OpenaiChat final : public OpenaiCodec {
 public:
  Protocol protocol() const noexcept override { return Protocol::openai_chat; }

  void write_request(const Request& request, std::string& out) const override {
    openai_chat::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    return openai_chat::read_request(body);
  }

  std::unique_ptr<StreamMend> stream_mend(const ReasoningOrigin& origin) const override {
    return make_stream_mend(origin);
  }
  std::unique_ptr<EventEncoder> encoder(const Request& asked,
                                        std::chrono::sys_seconds created) const override {
    return std::make_unique<Encoder>(asked.stream_usage, created);
  }

  void write_answer(const Answer& answer, const Request&, std::string& out,
                    std::chrono::sys_seconds created) const override {
    using Kind = AnswerBlock::Kind;
    const auto text = answer.text();
    const auto refusal = all(answer, Kind::refusal);
    const auto reasoning = all(answer, Kind::reasoning);
    JsonWriter json(out);
    json.begin_object().member("id", answer.id.empty() ? made_up_id("chatcmpl-") : answer.id);
    json.member("object", "chat.completion");
    json.member("created", created.time_since_epoch().count())
        .member("model", answer.model)
        .key("choices")
        .begin_array();
    json.begin_object().member("index", 0).key("message").begin_object();
    json.member("role", "assistant").key("content");
    text.empty() ? json.null() : json.value(text);
    json.key("refusal");
    refusal.empty() ? json.null() : json.value(refusal);
    if (!reasoning.empty()) {
      json.member("reasoning_content", reasoning);
    }
    write_details(json, answer);
    write_calls(json, answer);
    const auto finish = written_finish(answer);
    json.end_object().key("logprobs").null();
    json.member("finish_reason",
                finish_word(finish, finish == answer.finish ? answer.native_finish : ""));
    json.end_object().end_array();
    write_usage(json, answer.usage);
    json.end_object();
  }

  std::optional<OpaquePart> write_document(const Document& document) const override {
    if (document.data.empty()) {  // Chat takes no address
      return std::nullopt;
    }
    OpaquePart part(Protocol::openai_chat, "file", "");
    JsonWriter json(part.json);
    json.begin_object().member("type", part.type).key("file").begin_object();
    json.member("filename", document.name).member("file_data", document.data_url());
    json.end_object().end_object();
    return part;
  }

  std::unique_ptr<PayloadReader> reader() const override { return std::make_unique<Reader>(); }
  std::unique_ptr<PayloadFold> fold() const override { return std::make_unique<Fold>(); }
};

constexpr std::array unserved{
    UnservedMember{.name = "n",
                   .harmless = "1",
                   .when = UnservedMember::When::only_foreign_members,
                   .message = "`n`: no member that may answer for this model can give several "
                              "choices; set `n` to 1",
                   .code = "unsupported_parameter"}};

constinit const OpenaiChat codec;

}  // namespace

constinit const ProtocolTraits traits{
    .protocol = Protocol::openai_chat,
    .name = "openai_chat",
    .codec = codec,
    .path = "/chat/completions",
    .base_url_without_version = false,
    .authorization = Authorization::bearer,
    .headers = {},
    .features_header = {},
    .stream_usage = {"stream_options", R"({"include_usage":true})"},
    .client_header = {},
    .request_id_header = {},
    .overflow_words = {},
    .overloaded_status = 503,
    .unserved = unserved,
    .answer_id_prefix = "chatcmpl-",
    .finish_is_end = false,
    .heartbeat = {},
    .rules =
        {
            .longest_tool_id = 40,
            .longest_tool_name = 64,
            .later_system_messages = true,
            .begins_with_user = false,
            .item_ids = false,
            .image_detail = true,
            .media_in_tool_results = false,  // the codec puts them after the results
            .failed_tool_results = false,
            .object_arguments = false,
            .object_schemas = false,
            .strict = StrictSchema::openai,
            .thinking = ThinkingForm::effort,
            .fixed_sampling_with_thinking = false,
            .highest_temperature = std::numeric_limits<double>::infinity(),  // the provider says
            .top_k = false,
            .seed = true,
            .most_stops = 4,
            .cache_marks = false,
            .blank_stops = true,
            .max_tokens_required = false,
            .output_needs_schema = false,
        },
};

}  // namespace understudy::llm::detail::openai_chat
