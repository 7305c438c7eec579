#include "protocol.hpp"

#include <array>
#include <limits>

#include "echo.hpp"
#include "encoder.hpp"
#include "fold.hpp"
#include "item_ids.hpp"
#include "llm/documents.hpp"
#include "llm/made_up_id.hpp"
#include "llm/openai_codec.hpp"
#include "reader.hpp"
#include "request.hpp"
#include "stream_mend.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

/// A whole answer's items. Text and refusals that follow each other are one message.
class Output {
 public:
  /// `status`: of a message at the answer's end.
  Output(const Answer& answer, std::string_view id, std::string_view status) {
    for (const auto& block : answer.blocks) {
      add(block, id);
    }
    end_message(id, status);
  }

  const std::vector<std::string>& items() const { return items_; }

 private:
  void add(const AnswerBlock& block, std::string_view answer) {
    using Kind = AnswerBlock::Kind;
    switch (block.kind) {
      case Kind::text:
      case Kind::refusal: parts_.push_back({block.kind == Kind::refusal, block.text}); break;
      case Kind::reasoning: {
        end_message(answer);
        const bool sealed = block.seal_kind == ReasoningSeal::Kind::encrypted;
        const auto id = block.id.empty() ? id_of("rs_", answer) : block.id;
        item([&](JsonWriter& json) {
          const std::vector<OutputPart> summary(block.text.empty() ? 0 : 1, {false, block.text});
          write_reasoning(json, id, summary,
                          sealed ? std::string_view(block.seal) : std::string_view());
        });
        break;
      }
      case Kind::tool_call:
        end_message(answer);
        item([&](JsonWriter& json) {
          const bool custom = block.form == ToolForm::custom;
          const std::string_view none = block.complete ? "{}" : "";
          const auto said = custom ? custom_input(block.arguments)
                                   : std::string(block.arguments.empty() ? none : block.arguments);
          const auto id = id_of(call_id_prefix(block.form), answer);
          write_call(json, {block.form, id, block.complete ? "completed" : "incomplete", block.id,
                            block.name, block.name_space, said});
        });
        break;
    }
  }

  void end_message(std::string_view answer, std::string_view status = "completed") {
    if (!parts_.empty()) {
      item([&](JsonWriter& json) { write_message(json, id_of("msg_", answer), status, parts_); });
      parts_.clear();
    }
  }

  std::string id_of(std::string_view prefix, std::string_view answer) const {
    return item_id(prefix, answer, items_.size());
  }

  template <class Write>
  void item(Write write) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write(json);
    json.end_object();
    items_.push_back(std::move(text));
  }

  std::vector<std::string> items_;
  std::vector<OutputPart> parts_;
};

class OpenaiResponses final : public OpenaiCodec {
 public:
  Protocol protocol() const noexcept override { return Protocol::openai_responses; }

  void write_request(const Request& request, std::string& out) const override {
    openai_responses::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    const auto changed = without_made_up_ids(body);
    return openai_responses::read_request(changed ? std::string_view(*changed) : body);
  }

  std::unique_ptr<StreamMend> stream_mend(const ReasoningOrigin& origin) const override {
    return make_stream_mend(origin);
  }
  std::unique_ptr<EventEncoder> encoder(const Request& asked,
                                        std::chrono::sys_seconds created) const override {
    return std::make_unique<Encoder>(asked, created);
  }

  void write_answer(const Answer& answer, const Request& asked, std::string& out,
                    std::chrono::sys_seconds created) const override {
    const auto id = answer.id.empty() ? made_up_id("resp_") : answer.id;
    const auto finish = answer.finish.value_or(FinishReason::length);  // none: it was cut
    const bool completed =
        is_completed(finish, answer.native_finish, is_codex(asked) && !answer.text().empty());
    const std::string_view status = completed ? "completed" : "incomplete";
    const Output output(answer, id, status);
    const auto echo = echo_of(asked);
    JsonWriter json(out);
    json.begin_object();
    write_response(json, {id, answer.model, created, status, echo, incomplete_reason(finish),
                          nullptr, &answer.usage, &output.items()});
    json.end_object();
  }

  std::optional<OpaquePart> write_document(const Document& document) const override {
    OpaquePart part(Protocol::openai_responses, "input_file", "");
    JsonWriter json(part.json);
    json.begin_object().member("type", part.type);
    if (document.data.empty()) {
      json.member("file_url", document.url);
    } else {
      json.member("filename", document.name).member("file_data", document.data_url());
    }
    json.end_object();
    return part;
  }

  std::unique_ptr<PayloadReader> reader() const override { return std::make_unique<Reader>(); }
  std::unique_ptr<PayloadFold> fold() const override { return std::make_unique<Fold>(); }
};

constexpr std::string_view kept_elsewhere =
    "`previous_response_id`, `conversation`: not every member that may answer for this model has "
    "the stored conversation; send the whole conversation in `input`";
constexpr std::array unserved{UnservedMember{.name = "previous_response_id",
                                             .harmless = "null",
                                             .when = UnservedMember::When::foreign_members,
                                             .message = kept_elsewhere,
                                             .code = "unsupported_parameter"},
                              UnservedMember{.name = "conversation",
                                             .harmless = "null",
                                             .when = UnservedMember::When::foreign_members,
                                             .message = kept_elsewhere,
                                             .code = "unsupported_parameter"}};

constinit const OpenaiResponses codec;

}  // namespace

constinit const ProtocolTraits traits{
    .protocol = Protocol::openai_responses,
    .name = "openai_responses",
    .codec = codec,
    .path = "/responses",
    .base_url_without_version = false,
    .authorization = Authorization::bearer,
    .headers = {},
    .features_header = {},
    .stream_usage = {},
    .client_header = {},
    .request_id_header = {},
    .overflow_words = {},
    .overloaded_status = 503,
    .unserved = unserved,
    .answer_id_prefix = "resp_",
    .finish_is_end = true,
    .heartbeat = {},
    .rules =
        {
            .longest_tool_id = 64,
            .longest_tool_name = 128,
            .later_system_messages = true,
            .begins_with_user = false,
            .item_ids = true,
            .image_detail = true,
            .media_in_tool_results = true,
            .failed_tool_results = false,
            .object_arguments = false,
            .object_schemas = false,
            .strict = StrictSchema::openai,
            .thinking = ThinkingForm::effort_and_summary,
            .fixed_sampling_with_thinking = false,
            .highest_temperature = std::numeric_limits<double>::infinity(),  // the provider says
            .top_k = false,
            .seed = false,
            .most_stops = 0,
            .cache_marks = false,
            .blank_stops = true,
            .max_tokens_required = false,
            .output_needs_schema = false,
        },
};

}  // namespace understudy::llm::detail::openai_responses
