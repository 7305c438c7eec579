/// The codings of a message's body, as `content-encoding` names them (RFC 9110 8.4).
///
/// Invariants
/// 1. Names are compared case-insensitively; `x-gzip` is `gzip`, and `identity` is not a coding.
/// 2. All fields of that name count, in their order, as one list.
///
///     const auto codings = content_codings(head.headers);
///     if (!codings) { ... answer 415, with `accept-encoding: ` and accepted_codings ... }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/net/http_message.hpp"

namespace understudy::detail {

enum class ContentCoding : unsigned char {
  zstd,     ///< RFC 8878
  brotli,   ///< RFC 7932
  gzip,     ///< RFC 1952
  deflate,  ///< RFC 1950, the zlib format
};

/// As `accept-encoding` has it.
inline constexpr std::string_view accepted_codings = "zstd, br, gzip, deflate, identity";

/// Further ones on top of each other are not undone.
inline constexpr std::size_t most_codings = 2;

/// "gzip".
std::string_view to_string(ContentCoding coding) noexcept;

/// What to undo, in that order: the list from its end. Nothing if it has an unknown name or more than `most_codings`.
std::optional<std::vector<ContentCoding>> content_codings(const HttpFields& headers);

/// The list as it was sent, for a message: at most 64 characters of it.
std::string content_encoding(const HttpFields& headers);

}  // namespace understudy::detail
