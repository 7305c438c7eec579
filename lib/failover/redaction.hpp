/// Takes a secret out of text that somebody else wrote, in whatever form it stands there.
///
/// Invariants
/// 1. Found: the secret itself; its escapes of text/unescaped.hpp, one to three layers, mixed; its hexadecimal digits; base64
///    in both alphabets at any alignment; and hexadecimal and base64 that are escaped in turn.
/// 2. A secret shorter than `least_encoded` is found as itself and escaped alone, and not within a word: a key such as
///    "none" is not a reason to make ordinary text unreadable.
/// 3. If the text was cut off, so is what may be the beginning of the secret at its end.
/// 4. A pure function. Its time is proportional to the text, whatever the secret.
///
///     redacted("no such key: c2stMTIzNDU2Nzg5", "sk-123456789", false) == "no such key: [credential]"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace understudy::detail {

inline constexpr std::size_t least_encoded = 8;

/// See the top of the file. `cut`: the text had more that is not there.
std::string redacted(std::string_view text, std::string_view secret, bool cut);

}  // namespace understudy::detail
