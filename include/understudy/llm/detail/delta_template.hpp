/// The deltas of many a stream differ in nothing but their text: a payload that is like the one before is
/// read by comparing it, which costs a fraction of parsing it.
///
/// It is right because of what is asked of both. The one before was parsed, said a single piece of text,
/// and that text stood in the payload unescaped; nothing was read since, so the reader's state is the same.
/// The new one is the same bytes around a string of printable ASCII without quote or backslash, which in
/// JSON is itself.
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"

namespace understudy::detail {

class DeltaTemplate {
 public:
  /// `data` was parsed, and said `events` from number `first` on; `model` is where the model's name stands.
  void learn(std::string_view name, std::string_view data, const std::vector<Event>& events,
             std::size_t first, std::string_view model) {
    known_ = false;
    if (events.size() != first + 1) {
      return;
    }
    const auto* text = std::get_if<Text>(&events[first].body);
    const auto* reasoning = std::get_if<Reasoning>(&events[first].body);
    const auto said = text != nullptr        ? text->text
                      : reasoning != nullptr ? reasoning->text
                                             : std::string_view();
    const std::less<> before;
    if (said.empty() || data.size() > longest || before(said.data(), data.data()) ||
        !before(said.data(), data.data() + data.size())) {
      return;  // it had to be unescaped: it stands elsewhere
    }
    const auto at = static_cast<std::size_t>(said.data() - data.data());
    around_.assign(data, 0, at).append(data, at + said.size());
    before_ = at;
    name_ = name;
    block_ = text != nullptr ? text->block : reasoning->block;
    reasoning_ = text == nullptr;
    refusal_ = text != nullptr && text->refusal;
    model_at_ = model.empty() ? 0 : static_cast<std::size_t>(model.data() - data.data());
    model_size_ = model.size();
    known_ = model_at_ + model_size_ <= at;  // what follows the text moves with its length
  }

  void forget() { known_ = false; }

  /// Whether `data` is alike; then its event is appended.
  bool read(std::string_view name, std::string_view data, std::vector<Event>& events,
            std::string_view& model) const {
    if (!known_ || data.size() <= around_.size() || name != name_) {
      return false;
    }
    const auto said = data.substr(before_, data.size() - around_.size());
    const auto after = around_.size() - before_;
    if (std::memcmp(data.data(), around_.data(), before_) != 0 ||
        std::memcmp(data.data() + data.size() - after, around_.data() + before_, after) != 0 ||
        !plain(said)) {
      return false;
    }
    if (reasoning_) {
      events.emplace_back(Reasoning(block_, said));
    } else {
      events.emplace_back(Text(block_, said, refusal_));
    }
    model = data.substr(model_at_, model_size_);
    return true;
  }

 private:
  static constexpr std::size_t longest = 2048;  // of what is kept for each stream

  static bool plain(std::string_view text) {
    bool all = true;
    for (const char c : text) {
      all = all && c >= ' ' && c != '"' && c != '\\' && c != '\x7F';
    }
    return all;
  }

  bool known_ = false;
  bool reasoning_ = false;
  bool refusal_ = false;
  std::string name_;    // the event's, by which some readers go
  std::string around_;  // the payload without its text
  std::size_t before_ = 0;
  std::size_t block_ = 0;
  std::size_t model_at_ = 0;
  std::size_t model_size_ = 0;
};

}  // namespace understudy::detail
