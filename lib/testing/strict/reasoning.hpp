/// How a back end judges reasoning that is sent back to it: which back end issued it, and whether it was changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "testing/strict/asked.hpp"

namespace understudy::testing::strict {

/// A thinking block, or an item with an encrypted content.
struct SealedPart {
  enum class Fate : unsigned char {
    read,     ///< as it was issued
    missing,  ///< without a signature
    foreign,  ///< not issued by this maker, or altered
    moved,    ///< bound to another conversation
    dropped,  ///< ignored without an error
  };

  std::size_t index = 0;
  std::size_t block = 0;
  std::string seal;
  Fate fate = Fate::read;
  std::string why;     ///< of dropped
  std::string reason;  ///< of dropped, as `input_transformations` names it
};

/// All sealed parts of a request, in order. Empty for Chat.
std::vector<SealedPart> sealed_parts(const Asked& asked);

}  // namespace understudy::testing::strict
