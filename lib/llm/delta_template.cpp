#include "understudy/llm/detail/delta_template.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include "text/ascii.hpp"
#include "text/json.hpp"
#include "text/utf8.hpp"

namespace understudy::llm::detail {
namespace {

constexpr std::size_t longest = 2048;  // of what is kept for each stream

bool plain(char c) { return c >= ' ' && c != '"' && c != '\\' && c != '\x7F'; }

template <class Wanted>
std::string_view leading(std::string_view text, Wanted wanted) {
  std::size_t size = 0;
  while (size < text.size() && wanted(text[size])) {
    ++size;
  }
  return text.substr(0, size);
}

/// The inside of the string at the front of `data`, as it is written; empty if it is no valid one.
std::string_view leading_string(std::string_view data) {
  std::size_t size = 0;
  while (size < data.size() && data[size] != '"') {
    if (plain(data[size])) {
      ++size;
    } else if (data[size] == '\\') {
      size += 2;
    } else {
      const auto step = text::utf8_step(data.substr(size));
      if (!step.valid || step.length == 1) {
        return {};  // a control character
      }
      size += step.length;
    }
  }
  return data.substr(0, size);
}

/// The value that follows `key`, if it is as simple as `wanted` says; a string's without its quotes.
template <class Wanted>
std::string_view value_of(std::string_view data, std::string_view key, Wanted wanted) {
  const auto found = data.find(key);
  return found == std::string_view::npos ? std::string_view()
                                         : leading(data.substr(found + key.size()), wanted);
}

}  // namespace

void DeltaTemplate::learn(std::string_view name, std::string_view data,
                          const std::vector<Event>& events, std::size_t first,
                          std::string_view model) {
  if (events.size() != first + 1) {
    return forget();
  }
  const auto* text = std::get_if<Text>(&events[first].body);
  const auto* reasoning = std::get_if<Reasoning>(&events[first].body);
  const auto said = text != nullptr        ? text->text
                    : reasoning != nullptr ? reasoning->text
                                           : std::string_view();
  const std::less<> before;
  if (said.empty() || data.size() > longest || before(said.data(), data.data()) ||
      !before(said.data(), data.data() + data.size())) {
    return forget();  // it had to be unescaped: it stands elsewhere
  }
  const auto block = text != nullptr ? text->block : reasoning->block;
  const bool refusal = text != nullptr && text->refusal;
  std::string_view again;
  known_ = alike(name, data, again) && again.data() == said.data() && block_ == block &&
           reasoning_ == (text == nullptr) && refusal_ == refusal;
  if (!known_) {
    note(name, data, said, model);
    block_ = block;
    reasoning_ = text == nullptr;
    refusal_ = refusal;
  }
}

void DeltaTemplate::note(std::string_view name, std::string_view data, std::string_view said,
                         std::string_view model) {
  using Kind = Gap::Kind;
  struct Found {
    std::string_view text;
    Kind kind;
  };
  std::array<Found, 3> found{
      Found{said, Kind::said},
      Found{value_of(data, R"("sequence_number":)", text::is_digit), Kind::number},
      Found{value_of(data, R"("obfuscation":")", plain), Kind::padding},
  };
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::less<>()(a.text.data(), b.text.data());
  });
  name_ = name;
  around_.clear();
  gap_count_ = 0;
  std::size_t at = 0;
  for (const auto& [text, kind] : found) {
    if (!text.empty()) {
      const auto begin = static_cast<std::size_t>(text.data() - data.data());
      around_.append(data.substr(at, begin - at));
      gaps_[gap_count_++] = {around_.size(), kind};
      at = begin + text.size();
    }
  }
  around_.append(data.substr(at));
  model_at_ = model.empty() ? 0 : static_cast<std::size_t>(model.data() - data.data());
  model_size_ = model.size();
  if (model_at_ + model_size_ > gaps_[0].at) {
    gap_count_ = 0;  // what follows a gap moves with what is in it
  }
}

bool DeltaTemplate::alike(std::string_view name, std::string_view data,
                          std::string_view& said) const {
  if (gap_count_ == 0 || name != name_) {
    return false;
  }
  std::size_t compared = 0;
  const auto same = [&](std::size_t end) {
    const auto size = end - compared;
    if (data.size() < size || std::memcmp(data.data(), around_.data() + compared, size) != 0) {
      return false;
    }
    data.remove_prefix(size);
    compared = end;
    return true;
  };
  for (std::size_t i = 0; i < gap_count_; ++i) {
    if (!same(gaps_[i].at)) {
      return false;
    }
    const auto kind = gaps_[i].kind;
    const auto filling = kind == Gap::Kind::said     ? leading_string(data)
                         : kind == Gap::Kind::number ? leading(data, text::is_digit)
                                                     : leading(data, plain);
    if (filling.empty()) {
      return false;
    }
    data.remove_prefix(filling.size());
    said = kind == Gap::Kind::said ? filling : said;
  }
  return same(around_.size()) && data.empty();
}

bool DeltaTemplate::read(std::string_view name, std::string_view data, std::vector<Event>& events,
                         text::Arena& arena, std::string_view& model) const {
  std::string_view raw;
  if (!known_ || !alike(name, data, raw)) {
    return false;
  }
  const auto said = json::unescaped_piece(raw, arena);
  if (!said) {
    return false;
  }
  if (reasoning_) {
    events.emplace_back(Reasoning(block_, *said));
  } else {
    events.emplace_back(Text(block_, *said, refusal_));
  }
  model = data.substr(model_at_, model_size_);
  return true;
}

}  // namespace understudy::llm::detail
