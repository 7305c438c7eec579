/// Any bytes as an HTTP message, whole and in pieces: everything stays within its bounds, and what is a
/// message is the same one, however it was cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "understudy/net/detail/http_parser.hpp"

namespace fuzz {

using understudy::detail::HttpParser;

inline void must(bool fine) {
  if (!fine) {
    std::abort();
  }
}

/// The body, if the message was whole.
inline std::optional<std::string> parse(HttpParser::Role role, std::string_view message,
                                        std::size_t step) {
  constexpr std::uint64_t limit = 1000;
  HttpParser parser(role, limit);
  std::string pending;
  std::string body;
  for (std::size_t at = 0; at < message.size() && !parser.done(); at += step) {
    pending += message.substr(at, step);
    bool more = true;
    while (more && !pending.empty() && !parser.done()) {
      const bool in_head = !parser.head_done();
      const auto bytes = std::span<char>(pending).first(
          std::min(pending.size(), understudy::detail::read_buffer_size));
      const auto result = in_head ? parser.parse_head(bytes) : parser.parse_body(bytes);
      if (result.has_error()) {
        return std::nullopt;
      }
      must(result->consumed <= bytes.size());
      must(in_head ? result->body.empty() : result->body.size() <= bytes.size());
      body += result->body;
      must(body.size() <= limit);
      more = result->consumed > 0;
      pending.erase(0, result->consumed);
      must(pending.size() < understudy::detail::read_buffer_size + step);
    }
  }
  if (!parser.done() && parser.end()) {
    return std::nullopt;
  }
  must(parser.done());
  parser.keep_alive();
  return body;
}

inline void parse_every_way(HttpParser::Role role, const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const auto whole = parse(role, message, std::max<std::size_t>(size, 1));
  for (const std::size_t step : {1U, 7U}) {
    if (const auto cut = parse(role, message, step); whole && cut) {
      must(*cut == *whole);
    }
  }
}

}  // namespace fuzz
