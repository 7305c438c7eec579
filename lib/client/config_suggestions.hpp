/// What somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace understudy::detail {

/// The closest of the candidates, or nothing where none is near: up to a third of the letters may differ,
/// at least one. Case counts for nothing.
std::string_view nearest(std::string_view written, std::span<const std::string_view> candidates);

/// As it may stand in a message: at most 60 bytes, no control characters.
std::string shown(std::string_view text);

/// "`a`, `b` or `c`".
std::string list_of(std::span<const std::string_view> words, std::string_view quote = "`");

}  // namespace understudy::detail
