#include "stream_mend.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "llm/frame_data.hpp"
#include "text/json.hpp"
#include "understudy/net/sse.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

/// Items of an answer, in bytes: as long as one event may be.
constexpr std::size_t most_kept = sse_longest_block;

class ResponsesMend final : public StreamMend {
 public:
  std::string_view bytes(const Event& event) override {
    if (frame_says(event.raw, "response.output_item.done")) {
      keep(frame_data(event.raw));
    } else if (frame_says(event.raw, "response.completed") ||
               frame_says(event.raw, "response.incomplete")) {
      return with_output(event.raw);
    } else if (frame_says(event.raw, "response.created")) {
      items_.clear();
      kept_ = 0;
    }
    return event.raw;
  }

 private:
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

  std::map<std::uint64_t, std::string> items_;  // by output index
  std::size_t kept_ = 0;
  std::string frame_;
};

}  // namespace

std::unique_ptr<StreamMend> make_stream_mend() { return std::make_unique<ResponsesMend>(); }

}  // namespace understudy::llm::detail::openai_responses
