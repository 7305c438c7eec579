/// Sets members in the JSON file in which an agent keeps its settings.
///
/// Invariants
/// 1. All other bytes are kept. A member that is missing is added at the end of its object, in the indentation of the
///    file.
/// 2. Text that is not a JSON object, or that has something else where an object belongs, is an error with its place.
/// 3. A text that has all settings comes back as it is.
///
///     with_settings("settings.json", "{}", {{{"env", "A"}, "\"1\""}}).value();  // {"env": {"A": "1"}} on five lines
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source_result.hpp"

namespace understudy::tool {

/// A member, and what it must be.
class Setting {
 public:
  enum class Keep : unsigned char {
    never,       ///< another value is replaced
    if_smaller,  ///< a number below ours stays: the user's own limit
    if_there,    ///< any value stays
  };

  Setting(std::vector<std::string> p, std::string j, Keep k = Keep::never)
      : path(std::move(p)), json(std::move(j)), keep(k) {}

  /// A value that must not be printed, and the words that are printed in its place.
  Setting& secret(std::string_view place) { return shown = std::string(place), *this; }

  std::vector<std::string> path;  // names only
  std::string json;
  Keep keep;
  std::string shown;  ///< JSON; empty: `json` itself
};

/// An empty text counts as an empty object. `file` is for errors.
SourceResult<std::string> with_settings(const std::string& file, std::string_view text,
                                        const std::vector<Setting>& settings);

/// As a document of their own, without secrets.
std::string printable(const std::vector<Setting>& settings);

}  // namespace understudy::tool
