/// Errors in a file written by a user: the position, the error, and what to write instead.
///
/// Invariants
/// 1. An error has a position, a description and a suggestion. None of them contains a secret of the file.
/// 2. Values: they own their text.
///
///     text::SourceErrors errors{"understudy.toml", {}};
///     errors.errors.emplace_back(text::SourcePlace(12, 5), "unknown key `modle`", "did you mean `model`?");
///     std::cerr << to_string(errors);  // understudy.toml:12:5: unknown key `modle`: did you mean `model`?
#pragma once

#include <boost/assert/source_location.hpp>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "understudy/export.hpp"

namespace understudy::text {

/// A position in a file. Line and column count from 1, the column in characters; 0 and 0: the file as a whole.
class SourcePlace {
 public:
  SourcePlace() noexcept {}
  SourcePlace(std::uint32_t l, std::uint32_t c) noexcept : line(l), column(c) {}

  friend auto operator<=>(const SourcePlace&, const SourcePlace&) = default;

  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// One error, and what to write instead.
class SourceError {
 public:
  SourceError(SourcePlace p, std::string w, std::string s)
      : place(p), what(std::move(w)), suggestion(std::move(s)) {}

  /// The error is in another file, which the first one names.
  SourceError& in_file(std::string name) { return file = std::move(name), *this; }

  SourcePlace place;
  std::string file;        ///< empty: the file of the SourceErrors
  std::string what;        ///< "unknown key `modle`"
  std::string suggestion;  ///< "did you mean `model`?"; never empty
};

/// All errors of a file, in the file's order. `file` is its name as the caller gave it.
class SourceErrors {
 public:
  std::string file;
  std::vector<SourceError> errors;
};

/// One line for each error: `understudy.toml:12:5: unknown key `modle`: did you mean `model`?`
UNDERSTUDY_API std::string to_string(const SourceErrors& errors);

/// What `value()` of a result throws: std::runtime_error with the text of `to_string`.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const SourceErrors& errors,
                                                            const boost::source_location& site);

}  // namespace understudy::text
