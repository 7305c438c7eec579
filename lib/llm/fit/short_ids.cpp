#include "llm/fit/short_ids.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "text/json_tree.hpp"

namespace understudy::llm::detail {
namespace {

constexpr std::size_t longest_hash = 64;  // as hexadecimal digits, and what all back ends take

/// The account or device in a value that has a session as well; nothing: it is a plain name.
std::optional<std::string> part_of_user(std::string_view user) {
  if (user.starts_with('{')) {  // {"device_id":...,"account_uuid":...,"session_id":...}
    const auto object = json::compact_object(user);
    for (const std::string_view name : {"account_uuid", "device_id"}) {
      const auto text = json::unescaped_text(json::member_of(object, name));
      if (!text.empty()) {
        return std::string(text);
      }
    }
  } else if (const auto session = user.find("_session_"); session != std::string_view::npos) {
    return std::string(user.substr(0, session));
  }
  return std::nullopt;
}

}  // namespace

std::string short_id(std::string_view text, std::size_t longest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += digits[digest[i] >> 4U];
    out += digits[digest[i] & 15U];
  }
  out.resize(std::min(out.size(), longest));
  return out;
}

std::string hashed_user(std::string_view user, std::string_view salt, std::size_t longest) {
  const auto part = part_of_user(user).value_or(std::string(user));
  return short_id(std::string(salt).append(1, '\0').append(part), longest);
}

std::optional<std::string> anonymous_user(std::string_view user, std::string_view salt) {
  return part_of_user(user) ? std::optional(hashed_user(user, salt, longest_hash)) : std::nullopt;
}

}  // namespace understudy::llm::detail
