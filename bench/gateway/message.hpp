/// What the upstream and the load generator of the gateway's benchmark agree on.
#pragma once

#include <strings.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// What a request's prompt asks the upstream for.
inline constexpr std::string_view small_prompt = "a word";      // one token, at once
inline constexpr std::string_view stream_prompt = "a story";    // 200 tokens, one every 5 ms
inline constexpr std::string_view idle_prompt = "think first";  // one token, and then nothing
inline constexpr int stream_tokens = 200;
inline constexpr std::chrono::microseconds token_every{5000};

/// A token is the time at which it was sent, on the clock that all processes of a machine share.
inline constexpr char stamp_mark = '@';
inline constexpr std::size_t stamp_digits = 19;

inline std::int64_t now_ns() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// Writes exactly `stamp_digits` digits.
inline void put_stamp(char* to, std::int64_t ns) noexcept {
  for (std::size_t i = stamp_digits; i > 0; --i) {
    to[i - 1] = static_cast<char>('0' + ns % 10);
    ns /= 10;
  }
}

/// The size of the message at the front, head and body, by its content-length; nothing before the head is
/// whole. `bytes` is a string of its own, so that a null byte ends it.
inline std::optional<std::size_t> message_size(const std::string& bytes) {
  const auto head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) {
    return std::nullopt;
  }
  constexpr std::string_view name = "\r\ncontent-length: ";
  std::size_t body = 0;
  for (auto at = bytes.find("\r\n"); at < head; at = bytes.find("\r\n", at + 2)) {
    if (::strncasecmp(bytes.data() + at, name.data(), name.size()) == 0) {
      std::from_chars(bytes.data() + at + name.size(), bytes.data() + head, body);
    }
  }
  return head + 4 + body;
}

}  // namespace bench
