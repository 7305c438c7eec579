/// Sizes in bytes as people write them: "32MiB".
///
/// Invariants
/// 1. A size is a number and a unit (B, KiB, MiB, GiB), without a space, and at most a tebibyte.
/// 2. What `size_text` writes, `parse_size` reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::text {

/// "1.5KiB" is 1536.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The size that was probably meant: "32MB" is "32MiB". Empty if it cannot be guessed.
std::string meant_size(std::string_view text);

/// In the largest unit of which it is a whole number.
std::string size_text(std::uint64_t bytes);

}  // namespace understudy::text
