/// Finishes that a provider reports and that are not the end, written as the protocols have them.
///
/// Invariants
/// 1. The frames are literal: nothing of our codecs is in them.
/// 2. A finish in an event of its own is never the last of a part, unless an earlier one was already taken back: a stream
///    that broke there would be a complete answer to any reader.
#pragma once

#include <cstddef>
#include <string>

#include "understudy/llm/protocol.hpp"
#include "understudy/testing/fault_script.hpp"

namespace understudy::testing {

/// Of one reply. See the top of the file.
class RepeatedFinish {
 public:
  /// `id` and `model`: of the answer. `called`: there are tool calls in it.
  RepeatedFinish(const Reply& reply, llm::Protocol protocol, std::string id, std::string model,
                 bool called);

  /// Changes the `i`th part of the answer, which has content.
  void in_content(std::size_t i, std::string& part);
  /// Changes the part that has the finish.
  void at_end(std::string& part) const;

 private:
  std::string frame() const;

  Reply::Finishes how_;
  std::size_t before_;
  llm::Protocol protocol_;
  std::string id_;
  std::string model_;
  bool called_;
  std::size_t parts_ = 0;  // with content
  bool reported_ = false;
};

}  // namespace understudy::testing
