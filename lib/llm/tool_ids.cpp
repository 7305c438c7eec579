#include "tool_ids.hpp"

#include <algorithm>
#include <utility>

namespace understudy::llm::detail {
namespace {

constexpr std::size_t hash_length = 8;

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool allowed(char c) { return alphanumeric(c) || c == '_' || c == '-'; }
bool begins(std::string_view id) {
  return !id.empty() && (id[0] == '_' || (alphanumeric(id[0]) && (id[0] < '0' || id[0] > '9')));
}

/// An id must become the same one every time, so the key is fixed.
constexpr text::KeyedHash digest_of(0x756e646572737475U, 0x64792e746f6f6c73U);

/// In base 36. Each attempt is mixed in by splitmix64, so that digests which agree in one do not in the next.
std::string digits_of(std::uint64_t value, std::uint32_t attempt, std::size_t length) {
  if (attempt > 0) {
    value += attempt * 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  }
  value ^= value >> 32U;
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    out += digits[value % digits.size()];
    value = value / digits.size() + (value << 59U);
  }
  return out;
}

}  // namespace

bool ToolIds::valid(std::string_view id) const {
  return plain_ ? id.size() == longest_ && std::all_of(id.begin(), id.end(), alphanumeric)
                : id.size() >= shortest_ && id.size() <= longest_ &&
                      (!letter_first_ || begins(id)) && std::all_of(id.begin(), id.end(), allowed);
}

std::string ToolIds::made_up(std::string_view id, std::uint64_t digest,
                             std::uint32_t attempt) const {
  if (plain_) {
    return digits_of(digest, attempt, longest_);
  }
  std::string clean(id.substr(0, longest_));
  std::replace_if(clean.begin(), clean.end(), [](char c) { return !allowed(c); }, '_');
  if (letter_first_ && !begins(clean)) {
    clean.insert(0, 1, '_');
  }
  if (attempt == 0 && id.size() <= longest_ && valid(clean)) {
    return clean;
  }
  clean.resize(std::min(clean.size(), longest_ - hash_length - 1));
  return clean + "_" + digits_of(digest, attempt, hash_length);
}

std::pair<std::size_t, bool> ToolIds::add(std::string_view id) {
  const auto added = ids_.add(id);
  if (added.second) {
    known_.emplace_back();
  }
  return added;
}

std::string ToolIds::give(const std::string& id) {
  const auto number = add(id).first;
  if (valid(id) && !std::exchange(known_[number].given, true)) {
    return id;
  }
  const auto digest = digest_of(id);
  while (true) {
    auto candidate = made_up(id, digest, known_[number].attempts++);
    const auto [made, fresh] = add(candidate);
    if (fresh) {
      known_[made].given = true;
      return candidate;
    }
  }
}

}  // namespace understudy::llm::detail
