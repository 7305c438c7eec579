#include "understudy/llm/learned_refusals.hpp"

#include <algorithm>
#include <array>

namespace understudy::llm {

bool is_learnable(std::string_view mend) noexcept {
  constexpr std::array<std::string_view, 13> content{
      "tools",  "tool_choice", "response_format",      "text",         "messages",  "input",
      "system", "prompt",      "output_config.format", "instructions", "functions", "function_call",
      "include"};
  const auto colon = mend.find(':');
  if (colon == std::string_view::npos || mend.find('[') != std::string_view::npos ||
      mend.starts_with("drop_value:") ||
      mend.starts_with("unbind:") ||  // what a conversation has lost is lost to it alone
      mend.starts_with("clamp:")) {   // what is left depends on the prompt
    return false;
  }
  const auto path = mend.substr(colon + 1);
  return std::none_of(content.begin(), content.end(), [&](std::string_view one) {
    return path.starts_with(one) &&
           (path.size() == one.size() || path[one.size()] == '.' || path[one.size()] == '>');
  });
}

std::string condition_of(std::string_view provider, std::string_view model, std::string_view effort,
                         bool has_tools) {
  std::string key(provider);
  key.append("\n").append(model).append("\n").append(effort);
  return key.append(has_tools ? "\ntools" : "\n");
}

std::vector<std::string> LearnedRefusals::mends(const std::string& key) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  const auto found = lessons_.find(key);
  if (found == lessons_.end()) {
    return names;
  }
  const auto now = Clock::now();
  for (auto& lesson : found->second) {
    if (now - lesson.since >= lifetime) {
      lesson.tested = true;
      lesson.since = now;  // if the test is never decided, another one follows
    } else {
      names.push_back(lesson.mend);
    }
  }
  return names;
}

void LearnedRefusals::learn(const std::string& key, const std::string& mend) {
  if (!is_learnable(mend)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  auto& of_key = lessons_[key];
  const auto known = std::find_if(of_key.begin(), of_key.end(),
                                  [&](const Lesson& lesson) { return lesson.mend == mend; });
  if (known != of_key.end()) {
    known->since = now;
    known->tested = false;
    return;
  }
  of_key.push_back({mend, now});
  if (++count_ <= most) {
    return;
  }
  auto oldest = lessons_.begin();
  for (auto one = lessons_.begin(); one != lessons_.end(); ++one) {
    if (one->first != key &&
        (oldest->first == key || one->second.front().since < oldest->second.front().since)) {
      oldest = one;
    }
  }
  count_ -= oldest->second.size();
  lessons_.erase(oldest);
}

void LearnedRefusals::succeeded(const std::string& key, const std::vector<std::string>& applied) {
  const std::lock_guard lock(mutex_);
  const auto found = lessons_.find(key);
  if (found == lessons_.end()) {
    return;
  }
  count_ -= std::erase_if(found->second, [&](const Lesson& lesson) {
    return lesson.tested && std::find(applied.begin(), applied.end(), lesson.mend) == applied.end();
  });
  if (found->second.empty()) {
    lessons_.erase(found);
  }
}

std::size_t LearnedRefusals::size() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace understudy::llm
