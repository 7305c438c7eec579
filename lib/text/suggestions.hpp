/// Guesses at what a person meant to write, and the quoting of what was written, for error messages.
///
///     nearest("modle", keys);     // "model"
///     list_of(keys);              // "`model`, `provider` or `stall`"
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::text {

/// The closest of the candidates. Empty if none is near: at most a third of the letters may differ, at least one.
/// Case does not count, nor does the difference between a dash and an underscore.
UNDERSTUDY_API std::string_view nearest(std::string_view written,
                                        std::span<const std::string_view> candidates);

/// The text as a message may show it: at most 60 bytes, with a question mark for each control character.
std::string excerpt(std::string_view text);

/// "`excerpt`".
UNDERSTUDY_API std::string ticked(std::string_view key);

/// "\"text\"", as TOML has it. The text holds nothing to be escaped.
UNDERSTUDY_API std::string in_quotes(std::string_view text);

/// "`a`, `b` or `c`".
UNDERSTUDY_API std::string list_of(std::span<const std::string_view> words,
                                   std::string_view quote = "`");

/// "`"a"`, `"b"` or `"c"`", for documentation.
std::string list_of_strings(std::span<const std::string_view> words);

}  // namespace understudy::text
