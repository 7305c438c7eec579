#include "stream_mend.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "llm/frame_data.hpp"
#include "text/json.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/net/sse.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

/// Items of an answer, in bytes: as long as one event may be.
constexpr std::size_t most_kept = sse_longest_block;

class ResponsesMend final : public StreamMend {
 public:
  explicit ResponsesMend(ReasoningOrigin origin) : origin_(std::move(origin)) {}

  std::string_view bytes(const Event& event) override {
    if (frame_says(event.raw, "response.output_item.done")) {
      const auto raw = with_carriers(event.raw, {"item"});
      keep(frame_data(raw));
      return raw;
    } else if (frame_says(event.raw, "response.output_item.added")) {
      return with_carriers(event.raw, {"item"});
    } else if (frame_says(event.raw, "response.completed") ||
               frame_says(event.raw, "response.incomplete")) {
      return with_output(with_carriers(event.raw, {"response", "output"}));
    } else if (frame_says(event.raw, "response.created")) {
      items_.clear();
      kept_ = 0;
    }
    return event.raw;
  }

 private:
  /// The frame with carriers in place of the seals in an item, or in a list of items.
  std::string_view with_carriers(std::string_view raw, const text::JsonPath& path) {
    if (origin_.home || raw.find("\"encrypted_content\"") == std::string_view::npos) {
      return raw;
    }
    const auto value = text::json_at(frame_data(raw), path);
    text::JsonEdits edits;
    if (value.starts_with('[')) {
      std::size_t index = 0;
      for (const auto item : text::json_elements(value, SIZE_MAX)) {
        auto at = path;
        at.emplace_back(index++);
        add_carrier(edits, item, std::move(at));
      }
    } else {
      add_carrier(edits, value, path);
    }
    auto frame = edits.empty() ? std::nullopt : edited_frame(raw, edits);
    if (!frame) {
      return raw;
    }
    frame_ = std::move(*frame);
    return frame_;
  }

  void add_carrier(text::JsonEdits& edits, std::string_view item, text::JsonPath path) const {
    const auto seal = json::unescaped_text(text::json_at(item, {"encrypted_content"}));
    if (seal.empty() || json::unescaped_text(text::json_at(item, {"type"})) != "reasoning") {
      return;
    }
    const auto carrier = write_carrier(Carrier(CarrierKind::encrypted, origin_, seal));
    path.emplace_back("encrypted_content");
    edits.push_back(carrier ? text::JsonEdit::set(std::move(path), json::quoted(*carrier))
                            : text::JsonEdit::remove(std::move(path)));
  }

  void keep(std::string_view data) {
    const auto item = text::json_at(data, {"item"});
    const auto index = json::count(text::json_at(data, {"output_index"}));
    kept_ += item.size();
    if (!item.empty() && index && kept_ <= most_kept) {
      items_.insert_or_assign(*index, std::string(item));
    }
  }

  /// ChatGPT's back end ends every answer with an empty `output`. OpenAI's SDKs give that to their callers as the final
  /// response (open-webui/open-webui#27800, NousResearch/hermes-agent#5698).
  std::string_view with_output(std::string_view raw) {
    const auto output = text::json_at(frame_data(raw), {"response", "output"});
    const bool filled =
        output.starts_with('[') && output.find_first_not_of(" \t", 1) != output.find(']');
    if (filled || items_.empty() || kept_ > most_kept) {
      return raw;
    }
    std::string all = "[";
    for (const auto& [index, item] : items_) {
      all.append(all.size() == 1 ? "" : ",").append(item);
    }
    all += ']';
    auto frame = edited_frame(raw, {text::JsonEdit::set({"response", "output"}, std::move(all))});
    if (!frame) {
      return raw;
    }
    frame_ = std::move(*frame);
    return frame_;
  }

  ReasoningOrigin origin_;
  std::map<std::uint64_t, std::string> items_;  // by output index
  std::size_t kept_ = 0;
  std::string frame_;
};

}  // namespace

std::unique_ptr<StreamMend> make_stream_mend(const ReasoningOrigin& origin) {
  return std::make_unique<ResponsesMend>(origin);
}

}  // namespace understudy::llm::detail::openai_responses
