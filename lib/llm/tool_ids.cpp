#include "tool_ids.hpp"

#include <algorithm>
#include <cstdint>

namespace understudy::detail {
namespace {

constexpr std::size_t hash_length = 8;

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool allowed(char c) { return alphanumeric(c) || c == '_' || c == '-'; }

/// FNV-1a in base 36: an id that must be the same every time, and need not withstand anyone.
std::string hash(std::string_view text, std::size_t salt, std::size_t length) {
  std::uint64_t value = 0xcbf29ce484222325U + salt;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
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
  return plain_
             ? id.size() == longest_ && std::all_of(id.begin(), id.end(), alphanumeric)
             : !id.empty() && id.size() <= longest_ && std::all_of(id.begin(), id.end(), allowed);
}

std::string ToolIds::made_up(std::string_view id, std::size_t attempt) const {
  if (plain_) {
    return hash(id, attempt, longest_);
  }
  std::string clean(id);
  std::replace_if(clean.begin(), clean.end(), [](char c) { return !allowed(c); }, '_');
  if (attempt == 0 && !clean.empty() && clean.size() <= longest_) {
    return clean;
  }
  clean.resize(std::min(clean.size(), longest_ - hash_length - 1));
  return clean + "_" + hash(id, attempt, hash_length);
}

std::string ToolIds::give(const std::string& id) {
  if (valid(id) && given_.insert(id).second) {
    return id;
  }
  for (std::size_t attempt = 0;; ++attempt) {
    auto candidate = made_up(id, attempt);
    if (!reserved_.contains(candidate) && given_.insert(candidate).second) {
      return candidate;
    }
  }
}

}  // namespace understudy::detail
