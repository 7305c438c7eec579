/// The protocol-specific part of AnswerFold, which adds single payloads.
#pragma once

#include <string>
#include <string_view>

#include "understudy/llm/answer.hpp"

namespace understudy::llm::detail {

/// Folds the payloads of one answer. All JSON is compact (lib/text/json_tree.hpp).
class PayloadFold {
 public:
  virtual ~PayloadFold() = default;

  /// Adds the data of one event of the stream. `name`: the event's name, or empty. Returns nullptr, or why the answer
  /// cannot be folded.
  virtual const char* add(std::string_view name, std::string_view json) = 0;

  /// Takes a whole answer, as the only payload. Returns as for `add`.
  virtual const char* add_whole(std::string_view json) = 0;

  /// The length of the answer so far, as JSON text. Linear in the number of its values.
  virtual std::size_t length() const = 0;

  /// Corrects the answer by the typed one and appends it to `out`. Returns false, with `out` unchanged, if nothing was
  /// folded. Called once, at the end.
  virtual bool finish(const Answer& typed, std::string& out) = 0;
};

inline constexpr const char* too_many_parts = "the answer has too many parts";

}  // namespace understudy::llm::detail
