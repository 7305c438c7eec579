/// What can be wrong with a file of the user: a value, or errors with their places.
///
///     SourceResult<std::string> read(const std::string& file) {
///       return file.empty() ? source_error(file, {}, "has no name", "name one") : source_text("{}");
///     }
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

#include "understudy/text/source_errors.hpp"

namespace understudy::tool {

template <class T>
using SourceResult = boost::system::result<T, text::SourceErrors>;

/// A result of text is not made from a string by itself, of which errors could be made too.
inline SourceResult<std::string> source_text(std::string text) {
  return SourceResult<std::string>(boost::system::in_place_value, std::move(text));
}

inline text::SourceErrors source_error(std::string file, text::SourcePlace place, std::string what,
                                       std::string suggestion) {
  text::SourceErrors errors{std::move(file), {}};
  errors.errors.emplace_back(place, std::move(what), std::move(suggestion));
  return errors;
}

}  // namespace understudy::tool
