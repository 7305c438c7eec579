/// Finds where a text stops to be JSON, for an error message to the person who wrote it.
///
///     const auto fault = json_fault("{\n  \"a\": 1,\n}");
///     fault->place;  // 3:1
///     fault->what;   // "a comma before a closing bracket"
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "understudy/text/source_errors.hpp"

namespace understudy::tool {

/// The first error, or none if the text is one JSON value. It quotes nothing of the text, which may be a secret.
std::optional<text::SourceError> json_fault(std::string_view text);

/// Line and column of an offset.
text::SourcePlace place_in(std::string_view text, std::size_t offset);

}  // namespace understudy::tool
