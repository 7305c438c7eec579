#include "understudy/llm/openai_responses.hpp"

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

/// A whole answer's items. Text and refusals that follow each other are one message.
class Output {
 public:
  explicit Output(const Answer& answer) {
    for (const auto& block : answer.blocks) {
      add(block, answer.id);
    }
    end_message(answer.id);
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
          const std::vector<detail::openai_responses::OutputPart> summary(
              block.text.empty() ? 0 : 1, {false, block.text});
          detail::openai_responses::write_reasoning(json, id, summary,
                                                    sealed ? block.seal : std::string_view());
        });
        break;
      }
      case Kind::tool_call:
        end_message(answer);
        if (block.complete) {
          item([&](JsonWriter& json) {
            detail::openai_responses::write_call(json, id_of("fc_", answer), "completed", block.id,
                                                 block.name,
                                                 block.arguments.empty() ? "{}" : block.arguments);
          });
        }
        break;
    }
  }

  void end_message(std::string_view answer) {
    if (!parts_.empty()) {
      item([&](JsonWriter& json) {
        detail::openai_responses::write_message(json, id_of("msg_", answer), "completed", parts_);
      });
      parts_.clear();
    }
  }

  std::string id_of(std::string_view prefix, std::string_view answer) const {
    return detail::openai_responses::item_id(prefix, answer, items_.size());
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
  std::vector<detail::openai_responses::OutputPart> parts_;
};

class OpenaiResponses final : public Codec {
 public:
  Protocol protocol() const noexcept override { return Protocol::openai_responses; }

  void write_request(const Request& request, std::string& out) const override {
    detail::openai_responses::write_request(request, out);
  }
  ReadRequest read_request(std::string_view body) const override {
    return detail::openai_responses::read_request(body);
  }

  Error read_error(std::string_view body, std::string& scratch) const override {
    return detail::read_error_body(body, scratch);
  }

  void write_error(const Error& error, unsigned status, std::string& out) const override {
    detail::write_openai_error_body(error, status, out);
  }

  std::unique_ptr<EventEncoder> encoder(const Request&,
                                        std::chrono::sys_seconds created) const override {
    return std::make_unique<detail::openai_responses::Encoder>(created);
  }

  void write_answer(const Answer& answer, std::string& out,
                    std::chrono::sys_seconds created) const override {
    const Output output(answer);
    const bool completed = answer.finish && detail::openai_responses::is_completed(
                                                *answer.finish, answer.native_finish);
    const std::string_view reason = answer.finish ? detail::openai_responses::incomplete_reason(
                                                        *answer.finish, answer.native_finish)
                                                  : std::string_view();
    JsonWriter json(out);
    json.begin_object();
    detail::openai_responses::write_response(
        json, {answer.id, answer.model, created, completed ? "completed" : "incomplete", reason,
               nullptr, &answer.usage, &output.items()});
    json.end_object();
  }

  std::unique_ptr<detail::PayloadReader> reader() const override {
    return std::make_unique<detail::openai_responses::Reader>();
  }
};

}  // namespace

const Codec& openai_responses() noexcept {
  static const OpenaiResponses codec;
  return codec;
}

}  // namespace understudy::llm
