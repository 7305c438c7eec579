/// What an answer consists of, before it is put into a protocol's form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "testing/strict/answer.hpp"
#include "testing/strict/seal.hpp"
#include "testing/words.hpp"

namespace understudy::testing::strict {

struct Call {
  const Tool* tool = nullptr;
  std::string arguments;  ///< JSON; of a custom tool, any text
};

struct Plan {
  std::string_view backend;  ///< its id
  std::string text;
  std::string reasoning;  ///< empty: the back end shows none
  bool reasons = false;
  std::optional<Call> call;
  std::uint64_t input = 0;  ///< tokens
  std::uint64_t output = 0;
  std::uint64_t number = 1;

  std::uint64_t reasoning_tokens() const { return reasons ? 8 : 0; }
};

constexpr std::string_view created_at = "1790000000";

/// A JSON string.
std::string json_text(std::string_view text);
/// The member as it was sent, else `otherwise`.
std::string echo(const Asked& asked, std::string_view name, std::string_view otherwise);
/// The seal of this answer's reasoning. `text`: the thinking text that it is valid for.
std::string seal_of(const Asked& asked, std::optional<std::string_view> text);

StrictAnswer messages_answer(const Asked& asked, const Plan& plan);
StrictAnswer chat_answer(const Asked& asked, const Plan& plan);
StrictAnswer responses_answer(const Asked& asked, const Plan& plan);

}  // namespace understudy::testing::strict
