/// What a decoder holds back from a reported finish on: the bytes of the finish, and of all that follows, until the
/// stream ends or more of the answer comes.
///
/// Invariants
/// 1. Holds no view: what is held outlives the read buffer. What was released lives as long as this object.
/// 2. At most `most_held` bytes are held. The caller settles the finish when `full`.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

/// The finish that the provider has reported last, which the rest of the stream confirms or takes back.
enum class HeldFinish : unsigned char {
  none,
  doubtful,  ///< it came with content, or content followed an earlier one: this provider reports it with every chunk
  sure,
};

/// Returns the event, from index `first` on, that the bytes of a finish belong to. The ends of calls come before it, and are
/// not it: where arguments were sent again, they are written anew, in place of their bytes.
inline Event& finish_among(std::vector<Event>& events, std::size_t first) {
  const auto from = events.begin() + static_cast<std::ptrdiff_t>(first);
  const auto finish = std::find_if(from, events.end(), [](const Event& event) {
    return std::holds_alternative<Finish>(event.body);
  });
  return finish == events.end() ? *from : *finish;
}

/// See the top of the file.
class FinishHold {
 public:
  static constexpr std::size_t most_held = std::size_t{1024} * 1024;

  bool holding() const noexcept { return holding_; }
  bool full() const noexcept { return bytes_ > most_held; }
  /// Returns whether one of the payloads that are held reports usage.
  bool counted() const noexcept {
    return holding_ && std::any_of(payloads_.begin(), payloads_.end(),
                                   [](const Payload& held) { return held.usage.has_value(); });
  }

  /// Adds a payload: its bytes, the model's name in them, and the usage that it reports. The first one has the finish.
  void hold(std::string_view raw, std::string_view model, const std::optional<Usage>& usage) {
    if (!holding_) {
      payloads_.clear();  // of a finish that was taken back
      bytes_ = 0;
    }
    holding_ = true;
    bytes_ += raw.size() + sizeof(Payload);
    auto& held = payloads_.emplace_back();
    held.raw = raw;
    held.usage = usage;
    if (!model.empty()) {
      held.model_at = static_cast<std::size_t>(model.data() - raw.data());
      held.model_size = model.size();
    }
  }

  /// Content follows: appends what is held but for the finish. The bytes go to `arena`.
  void take_back(std::vector<Event>& events, text::Arena& arena) {
    holding_ = false;
    for (auto& held : payloads_) {
      if (&held != &payloads_.front()) {
        append(held, arena.keep(held.raw), events);
      } else if (held.usage) {
        events.emplace_back(*held.usage);
      }
    }
  }

  /// The stream has ended: appends `settled`, the events of the finish, with the bytes that are held.
  void release(const std::vector<Event>& settled, std::vector<Event>& events) {
    holding_ = false;
    const auto first = events.size();
    events.insert(events.end(), settled.begin(), settled.end());
    if (payloads_.empty()) {
      return;
    }
    if (events.size() == first) {
      events.emplace_back(Other("finish", false));
    }
    show(payloads_.front(), payloads_.front().raw, finish_among(events, first));
    if (payloads_.front().usage) {
      events.emplace_back(*payloads_.front().usage);
    }
    for (std::size_t i = 1; i < payloads_.size(); ++i) {
      append(payloads_[i], payloads_[i].raw, events);
    }
  }

 private:
  struct Payload {
    std::string raw;
    std::size_t model_at = 0;
    std::size_t model_size = 0;
    std::optional<Usage> usage;
  };

  static void show(const Payload& held, std::string_view raw, Event& event) {
    event.raw = raw;
    event.model = event.raw.substr(held.model_at, held.model_size);
  }

  static void append(const Payload& held, std::string_view raw, std::vector<Event>& events) {
    show(held, raw,
         held.usage ? events.emplace_back(*held.usage)
                    : events.emplace_back(Other("after the finish", false)));
  }

  bool holding_ = false;
  std::size_t bytes_ = 0;
  std::vector<Payload> payloads_;  // released: kept for their bytes
};

}  // namespace understudy::llm::detail
