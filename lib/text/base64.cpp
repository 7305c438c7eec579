#include "text/base64.hpp"

#include <cstdint>

namespace understudy::text {
namespace {

constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64url_decoded(std::string_view text) {
  std::string bytes;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto digit = base64url_digits.find(c);
    if (digit == std::string_view::npos) {
      break;
    }
    pending = pending << 6U | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(pending >> bits & 0xFFU));
    }
  }
  return bytes;
}

std::string base64url_encoded(std::string_view bytes) {
  std::string text;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    pending = (pending << 8U | static_cast<unsigned char>(c)) & 0xFFFFU;
    for (bits += 8; bits >= 6; bits -= 6) {
      text += base64url_digits[pending >> (bits - 6) & 0x3FU];
    }
  }
  if (bits > 0) {
    text += base64url_digits[pending << (6 - bits) & 0x3FU];
  }
  return text;
}

}  // namespace understudy::text
