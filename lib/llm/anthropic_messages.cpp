#include "understudy/llm/anthropic_messages.hpp"

#include "anthropic_reader.hpp"
#include "error_body.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy {
namespace {

class AnthropicMessages final : public Codec {
 public:
  Protocol protocol() const noexcept override { return Protocol::anthropic_messages; }

  void write_request(const Request&, std::string&) const override {}
  ReadRequest read_request(std::string_view) const override { return RequestFault("not yet"); }

  Error read_error(std::string_view body, std::string& scratch) const override {
    return detail::read_error_body(body, scratch);
  }
  void write_error(const Error&, unsigned, std::string&) const override {}

  std::unique_ptr<EventEncoder> encoder() const override { return nullptr; }
  void write_answer(const Answer&, std::string&) const override {}

  std::unique_ptr<detail::PayloadReader> reader() const override {
    return std::make_unique<detail::AnthropicReader>();
  }
};

}  // namespace

const Codec& anthropic_messages() noexcept {
  static const AnthropicMessages codec;
  return codec;
}

}  // namespace understudy
