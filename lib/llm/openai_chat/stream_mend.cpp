#include "stream_mend.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "llm/frame_data.hpp"
#include "llm/open_blocks.hpp"
#include "text/json.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

/// Calls in one chunk.
constexpr std::size_t most_calls = 128;

class ChatMend final : public StreamMend {
 public:
  std::string_view bytes(const Event& event) override {
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

 private:
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

  std::map<std::uint64_t, std::uint64_t> latest_;  // the place of the latest call of an index
  std::map<std::string, std::uint64_t, std::less<>> by_id_;  // as JSON text
  std::uint64_t next_ = 0;
  bool moved_ = false;
  std::string frame_;
};

}  // namespace

std::unique_ptr<StreamMend> make_stream_mend() { return std::make_unique<ChatMend>(); }

}  // namespace understudy::llm::detail::openai_chat
