/// Events folded into a response; see lib/llm/openai_responses/protocol.hpp and protocols.md 4.4.
///
/// The terminal event has the whole answer, but for back ends that leave out its `output` (protocols.md 4.3): for these
/// the items are kept.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "llm/payload_fold.hpp"
#include "text/json_tree.hpp"

namespace understudy::llm::detail::openai_responses {

class Fold final : public PayloadFold {
 public:
  const char* add(std::string_view name, std::string_view json) override;
  const char* add_whole(std::string_view json) override;
  std::size_t length() const override;
  bool finish(const Answer& typed, std::string& out) override;

 private:
  void complete_output(const Answer& typed);
  void correct_calls(const Answer& typed);

  std::map<std::size_t, std::string> items_;  // those that are done, by output_index
  json::Tree response_;                       // of the terminal event
};

}  // namespace understudy::llm::detail::openai_responses
