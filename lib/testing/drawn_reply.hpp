/// What a member says that is to go on with an answer, and what goes wrong with it: drawn.
#pragma once

#include <string>
#include <string_view>

#include "drawn_answer.hpp"
#include "understudy/testing/fault_script.hpp"

namespace understudy::testing {

/// How a member goes on with an answer that was begun.
enum class Manner : unsigned char {
  whole,        // the whole again
  tail,         // some of what was said, and on
  exact,        // what comes next
  calls_alone,  // no word of text
  // Wrong:
  chatter,
  other_answer,
  near_miss,  // the whole or the tail again with another character in it
};

std::string_view to_string(Manner manner) noexcept;

/// One of them. Of one that got a prefill none that could not be told from what is right.
Manner draw_manner(Dice& dice, bool prefilled);

/// What it says, of which `said` was shown.
Reply draw_reply(Dice& dice, Manner manner, const WholeAnswer& answer, std::string_view said,
                 bool prefilled);

/// Whether it sends the arguments of its tool calls again, or reports its finish again. Says how.
std::string draw_repetition(Dice& dice, Reply& reply);

/// Something goes wrong with it, in so many of a hundred. Says what.
std::string draw_fault(Dice& dice, Reply& reply, unsigned percent);

}  // namespace understudy::testing
