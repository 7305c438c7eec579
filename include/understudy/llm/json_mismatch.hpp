/// Why JSON text is not a value of a type of the program (llm/described.hpp).
///
/// Invariants
/// 1. It says where and what, in words that a model can correct itself by.
///
///     const JsonMismatch wrong("tanks[2].name", "a string is expected, and a number was found");
///     std::cerr << to_string(wrong);
#pragma once

#include <boost/assert/source_location.hpp>
#include <string>
#include <utility>

#include "understudy/export.hpp"

namespace understudy::llm {

/// Why JSON text is not a value of a type.
class UNDERSTUDY_API JsonMismatch {
 public:
  JsonMismatch() {}
  JsonMismatch(std::string at, std::string why) : place(std::move(at)), message(std::move(why)) {}

  std::string place;    ///< the path of the value, such as `tanks[2].name`; empty: the whole text
  std::string message;  ///< such as "a string is expected, and a number was found"
};

/// "tanks[2].name: a string is expected, and a number was found"
UNDERSTUDY_API std::string to_string(const JsonMismatch& mismatch);

/// For `boost::system::result::value()`: throws std::invalid_argument.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const JsonMismatch& mismatch,
                                                            const boost::source_location& site);

}  // namespace understudy::llm
