/// The founding incident in virtual time, with the limits that are the default: as clients do today, and as
/// here.
#pragma once

#include <string>

#include "understudy/runtime/clock.hpp"

namespace understudy::tool {

/// Until the first token of the answer: of the call that meets the stall, and of one a minute later.
class Waits {
 public:
  Clock::duration first{};
  Clock::duration next{};
};

class Comparison {
 public:
  Waits usual;  ///< the same provider four times, and no memory across calls
  Waits here;

  std::string in_one_line() const;
};

/// A lead that sends heartbeats and no token, an understudy that answers within 400 ms, and a prompt of 60,000
/// tokens (issue #22277: 240 s a stall).
Comparison compare();

}  // namespace understudy::tool
