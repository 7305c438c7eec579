/// Random answers.
#pragma once

#include "dice.hpp"
#include "understudy/testing/answer_check.hpp"

namespace understudy::testing {

/// Its text begins with no white space, and says nothing of 8 characters twice in a row, nor of 4 at its start
/// (client/seam.hpp, 3 to 5).
WholeAnswer draw_answer(Dice& dice);

}  // namespace understudy::testing
