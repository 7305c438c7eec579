#include "stream_mend.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "llm/frame_data.hpp"
#include "llm/open_blocks.hpp"
#include "text/json.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

/// Calls in one chunk.
constexpr std::size_t most_calls = 128;

class ChatMend final : public StreamMend {
 public:
  explicit ChatMend(ReasoningOrigin origin) : origin_(std::move(origin)) {}

  std::string_view bytes(const Event& event) override {
    const auto mended = with_own_indices(event);
    return origin_.home || mended.empty() ? mended : with_carriers(mended);
  }

 private:
  std::string_view with_own_indices(const Event& event) {
    if (event.raw.empty() || std::holds_alternative<Text>(event.body) ||
        std::holds_alternative<Reasoning>(event.body)) {
      return event.raw;
    }
    const bool fragment = std::holds_alternative<ToolArguments>(event.body);
    const bool looked_at = fragment
                               ? moved_ || event.raw.find(R"("name")") != std::string_view::npos
                               : event.raw.find(R"("tool_calls")") != std::string_view::npos;
    return looked_at ? with_indices(event.raw) : event.raw;
  }

  /// OpenRouter's details and Gemini's signatures of calls, as carriers among the details.
  std::string_view with_carriers(std::string_view raw) {
    const auto says = [&](std::string_view name) {
      return raw.find(name) != std::string_view::npos;
    };
    if (!says(R"("reasoning_details")") && !says(R"("extra_content")")) {
      return raw;
    }
    const auto delta = text::json_at(frame_data(raw), {"choices", 0, "delta"});
    text::JsonEdits edits;
    std::string details;
    const auto add = [&](std::string_view detail) {
      details.append(details.empty() ? "[" : ",").append(detail);
    };
    for (const auto detail :
         text::json_elements(text::json_at(delta, {"reasoning_details"}), most_calls)) {
      add(carried_detail(detail));
    }
    const auto calls = text::json_elements(text::json_at(delta, {"tool_calls"}), most_calls);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto signature = json::unescaped_text(
          text::json_at(calls[i], {"extra_content", "google", "thought_signature"}));
      const auto carrier = write_carrier(Carrier(CarrierKind::call_signature, origin_, signature));
      if (!signature.empty() && carrier) {
        add(R"({"type":"reasoning.encrypted","data":)" + json::quoted(*carrier) + "}");
      }
      edits.push_back(
          text::JsonEdit::remove({"choices", 0, "delta", "tool_calls", i, "extra_content"}));
    }
    if (!details.empty()) {
      edits.push_back(
          text::JsonEdit::set({"choices", 0, "delta", "reasoning_details"}, details + "]"));
    }
    auto frame = edits.empty() ? std::nullopt : edited_frame(raw, edits);
    if (!frame) {
      return raw;
    }
    frame_ = std::move(*frame);
    return frame_;
  }

  std::string carried_detail(std::string_view detail) const {
    const std::string member = text::json_at(detail, {"data"}).empty() ? "signature" : "data";
    const auto seal = json::unescaped_text(text::json_at(detail, {member}));
    const auto original = text::edit_json(detail, {text::JsonEdit::remove({"text"})});
    const auto carrier = seal.empty() || !original
                             ? std::nullopt
                             : write_carrier(Carrier(CarrierKind::detail, origin_, *original));
    return carrier
               ? text::edit_json(detail, {text::JsonEdit::set({member}, json::quoted(*carrier))})
                     .value_or(std::string(detail))
               : std::string(detail);
  }

  /// Clients that follow OpenAI's join fragments by index, so two calls with one index become one broken call.
  std::string_view with_indices(std::string_view raw) {
    const auto data = frame_data(raw);
    const auto choice = text::json_at(data, {"choices", 0});
    const auto number = text::json_at(choice, {"index"});
    if (!number.empty() && number != "0") {
      return raw;
    }
    const auto calls =
        text::json_elements(text::json_at(choice, {"delta", "tool_calls"}), most_calls);
    text::JsonEdits edits;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto index = json::count(text::json_at(calls[i], {"index"}));
      if (!index) {
        continue;
      }
      const auto place = place_of(*index, text::json_at(calls[i], {"id"}));
      if (place != *index) {
        moved_ = true;
        edits.push_back(text::JsonEdit::set({"choices", 0, "delta", "tool_calls", i, "index"},
                                            std::to_string(place)));
      }
    }
    auto frame = edits.empty() ? std::nullopt : edited_frame(raw, edits);
    if (!frame) {
      return raw;
    }
    frame_ = std::move(*frame);
    return frame_;
  }

  /// The index under which the client gets the call. `id`: JSON text; fragments may be without.
  std::uint64_t place_of(std::uint64_t index, std::string_view id) {
    const bool named = id.size() > 2 && id.starts_with('"');
    const auto latest = latest_.find(index);
    const auto known = named ? by_id_.find(id) : by_id_.end();
    if (known != by_id_.end()) {
      latest_.insert_or_assign(index, known->second);
      return known->second;
    }
    if (latest != latest_.end() && (!named || by_id_.size() == OpenBlocks::most)) {
      return latest->second;
    }
    if (latest_.size() == OpenBlocks::most) {
      return index;
    }
    const auto place = take(latest == latest_.end() ? index : next_);
    latest_.insert_or_assign(index, place);
    if (named) {
      by_id_.emplace(id, place);
    }
    return place;
  }

  /// `wanted`, or the next that is free.
  std::uint64_t take(std::uint64_t wanted) {
    const auto place = moved_ ? std::max(wanted, next_) : wanted;
    next_ = std::max(next_, place + 1);
    return place;
  }

  ReasoningOrigin origin_;
  std::map<std::uint64_t, std::uint64_t> latest_;  // the place of the latest call of an index
  std::map<std::string, std::uint64_t, std::less<>> by_id_;  // as JSON text
  std::uint64_t next_ = 0;
  bool moved_ = false;
  std::string frame_;
};

}  // namespace

std::unique_ptr<StreamMend> make_stream_mend(const ReasoningOrigin& origin) {
  return std::make_unique<ChatMend>(origin);
}

}  // namespace understudy::llm::detail::openai_chat
