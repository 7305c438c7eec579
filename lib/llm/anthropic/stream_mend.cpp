#include "stream_mend.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "llm/frame_data.hpp"
#include "llm/raw_fields.hpp"
#include "llm/sse_frame.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

class MessagesMend final : public StreamMend {
 public:
  explicit MessagesMend(ReasoningOrigin origin) : origin_(std::move(origin)) {}

  std::string_view bytes(const Event& event) override {
    const auto own = bytes_of(event);
    if (own.empty() || held_.empty() || std::holds_alternative<Heartbeat>(event.body)) {
      return own;
    }
    if (own.data() != frame_.data()) {
      frame_ = own;
    }
    frame_.insert(0, take_held());
    return frame_;
  }

  std::string take_held() override { return std::exchange(held_, std::string()); }

 private:
  std::string_view bytes_of(const Event& event) {
    if (const auto* const seal = std::get_if<ReasoningSeal>(&event.body)) {
      if (frame_says(event.raw, "content_block_start")) {
        thinking_ = raw_number(event.raw, R"("index")");
        signed_ = false;
      }
      signed_ = signed_ || !seal->data.empty();
      return origin_.home || event.raw.empty() || seal->data.empty() ? event.raw
                                                                     : carried(*seal, event.raw);
    }
    if (std::holds_alternative<Start>(event.body)) {
      thinking_.reset();
      return mended(event.raw, start_edits(event.raw));
    }
    if (std::holds_alternative<Finish>(event.body)) {
      return with_signature(mended(event.raw, delta_edits(event.raw)));
    }
    if (const auto* const other = std::get_if<Other>(&event.body)) {
      if (other->type == "thinking") {
        return begin_thinking(event.raw);
      } else if (other->type == "message_delta") {
        return mended(event.raw, delta_edits(event.raw));
      } else if (other->type == "content_block_stop" && thinking_ &&
                 raw_number(event.raw, R"("index")") == thinking_) {
        held_ = with_signature(event.raw);
        return {};
      }
    } else if (std::holds_alternative<Reasoning>(event.body) && !thinking_ &&
               frame_says(event.raw, "content_block_start")) {
      return begin_thinking(event.raw);
    }
    return event.raw;
  }

  /// The frame with a carrier in place of the seal, which stands in a delta or in the beginning of a block.
  std::string_view carried(const ReasoningSeal& seal, std::string_view raw) {
    const bool redacted = seal.kind == ReasoningSeal::Kind::redacted;
    const auto value = json::quoted(carrier_text(
        Carrier(redacted ? CarrierKind::redacted : CarrierKind::signature, origin_, seal.data)));
    const bool starts = frame_says(raw, "content_block_start");
    if (starts && redacted) {  // as thinking, of which the client sends the signature back
      return mended(raw, {text::JsonEdit::set(
                             {"content_block"},
                             R"({"type":"thinking","thinking":"","signature":)" + value + "}")});
    }
    return mended(raw,
                  {text::JsonEdit::set({starts ? "content_block" : "delta", "signature"}, value)});
  }

  /// Anthropic's SDKs add to `message.usage` and `message.content` (NousResearch/hermes-agent#60683).
  static text::JsonEdits start_edits(std::string_view raw) {
    text::JsonEdits edits;
    const auto data = frame_data(raw);
    const auto message = text::json_at(data, {"message"});
    if (!message.empty() && !text::json_at(message, {"usage"}).starts_with('{')) {
      edits.push_back(
          text::JsonEdit::set({"message", "usage"}, R"({"input_tokens":0,"output_tokens":0})"));
    }
    if (!message.empty() && !text::json_at(message, {"content"}).starts_with('[')) {
      edits.push_back(text::JsonEdit::set({"message", "content"}, "[]"));
    }
    return edits;
  }

  /// The SDKs read `usage.output_tokens`.
  static text::JsonEdits delta_edits(std::string_view raw) {
    text::JsonEdits edits;
    if (!raw.empty() && raw_object(raw, R"("usage")").empty()) {
      edits.push_back(text::JsonEdit::set({"usage"}, R"({"output_tokens":0})"));
    }
    return edits;
  }

  std::string_view mended(std::string_view raw, const text::JsonEdits& edits) {
    auto frame = edits.empty() ? std::nullopt : edited_frame(raw, edits);
    if (!frame) {
      return raw;
    }
    frame_ = std::move(*frame);
    return frame_;
  }

  /// The block of Anthropic's own API begins with an empty signature.
  std::string_view begin_thinking(std::string_view raw) {
    thinking_ = raw_number(raw, R"("index")");
    const auto signature = raw_text(raw, R"("signature")");
    signed_ = !signature.empty();
    if (signed_ && !origin_.home) {  // in the frame that begins the block
      const ReasoningSeal seal(0, ReasoningSeal::Kind::signature, signature);
      return carried(seal, raw);
    }
    const bool missing = thinking_ && raw.find(R"("signature")") == std::string_view::npos;
    return missing ? mended(raw, {text::JsonEdit::set({"content_block", "signature"}, R"("")")})
                   : raw;
  }

  /// Claude Code drops a thinking block without signature, and servers that send none refuse a conversation from which
  /// the thinking is missing (QuantumNous/new-api#4761, #4763).
  std::string_view with_signature(std::string_view raw) {
    const auto index = std::exchange(thinking_, std::nullopt);
    if (!index || signed_) {
      return raw;
    }
    const auto signature = carrier_text(Carrier(CarrierKind::unsigned_thinking, origin_, {}));
    std::string frame;
    append_event(frame, "content_block_delta", [&](JsonWriter& json) {
      json.member("type", "content_block_delta").member("index", *index).key("delta");
      json.begin_object().member("type", "signature_delta").member("signature", signature);
      json.end_object();
    });
    frame += raw;
    frame_ = std::move(frame);
    return frame_;
  }

  ReasoningOrigin origin_;
  std::optional<std::uint64_t> thinking_;  // the index of the block that is open
  bool signed_ = false;
  std::string frame_;
  std::string held_;  // the end of a thinking block
};

}  // namespace

std::unique_ptr<StreamMend> make_stream_mend(const ReasoningOrigin& origin) {
  return std::make_unique<MessagesMend>(origin);
}

}  // namespace understudy::llm::detail::anthropic
