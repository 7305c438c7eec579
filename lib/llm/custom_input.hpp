/// The input of a custom tool's call, taken out of the arguments of the function call that stands for it, as they come:
/// `{"input": TEXT}` (llm/tool_form.hpp).
///
/// Invariants
/// 1. What `add` and `end` return, concatenated, does not depend on how the arguments are cut into pieces, and is valid
///    UTF-8 if they are.
/// 2. Any bytes are valid arguments. What is not `{"input": TEXT}` is returned as it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace understudy::llm::detail {

class CustomInput {
 public:
  /// Returns what the next piece adds to the input. Valid until the next call.
  std::string_view add(std::string_view json);

  /// Returns the rest of the input, after the last piece. Valid as long as the object.
  std::string_view end();

 private:
  enum class State : unsigned char {
    opening,  // before the text
    text,
    escape,   // in the text
    closing,  // behind the text
    raw,      // the arguments are not as expected: what follows is returned as it is
  };

  void opening(char c);
  void text(char c);
  void escape(char c);
  void closing(char c);
  void give_up(char c);
  void unit(std::uint32_t code);
  void settle_high();

  State state_ = State::opening;
  std::size_t matched_ = 0;  // of what comes before the text
  bool closed_ = false;      // the object
  std::string held_;         // of an opening, an escape or a closing that is not complete
  std::uint32_t high_ = 0;   // the first half of a surrogate pair
  std::string out_;
};

}  // namespace understudy::llm::detail
