/// Events folded into a message; see lib/llm/anthropic/protocol.hpp and protocols.md 2.7.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "llm/payload_fold.hpp"
#include "text/json_tree.hpp"

namespace understudy::llm::detail::anthropic {

class Fold final : public PayloadFold {
 public:
  const char* add(std::string_view name, std::string_view json) override;
  const char* add_whole(std::string_view json) override;
  std::size_t length() const override;
  bool finish(const Answer& typed, std::string& out) override;

 private:
  struct Block {
    json::Tree tree;
    std::string input;  // in pieces, as a JSON string
  };

  void begin_message(std::string_view message);
  const char* begin_block(std::size_t index, std::string_view block);
  const char* add_delta(std::size_t index, std::string_view delta);
  const char* add_message_delta(std::string_view json);
  void finish_blocks(const Answer& typed);
  void finish_message(const Answer& typed);

  json::Tree message_;                         // without its content
  std::vector<Block> blocks_;                  // in the order in which they began
  std::map<std::size_t, std::size_t> latest_;  // the latest block of each index
  bool any_ = false;
  bool whole_ = false;
};

}  // namespace understudy::llm::detail::anthropic
