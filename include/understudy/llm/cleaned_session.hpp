/// Removes reasoning in carriers (carrier.hpp) from what an agent has saved of a session, so that the session can continue
/// without the gateway: a maker refuses reasoning that is not its own.
///
/// Invariants
/// 1. All other bytes are kept. A line without carriers is returned as it is.
/// 2. Any bytes are valid input; text that is not JSON is kept.
/// 3. A message never becomes empty: where reasoning was all that it had, a text says that it was removed.
///
///     const auto cleaned = cleaned_session_line(line);  // of a file with one JSON value a line
///     if (!cleaned.dropped) { out << cleaned.text << "\n"; }
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

/// A line of a session's file, or a file that is one JSON value.
class CleanedLine {
 public:
  CleanedLine() {}

  std::string text;
  std::size_t removed = 0;  ///< pieces of reasoning
  bool dropped = false;     ///< the line was nothing but reasoning
};

/// See the top of the file. Threads: any.
UNDERSTUDY_API CleanedLine cleaned_session_line(std::string_view line);

}  // namespace understudy::llm
