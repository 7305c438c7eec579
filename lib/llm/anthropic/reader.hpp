/// Anthropic's events, one payload at a time; see lib/llm/anthropic/protocol.hpp.
#pragma once

#include "llm/open_blocks.hpp"
#include "text/json.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail::anthropic {

class Reader final : public PayloadReader {
 public:
  const char* read(std::string_view name, std::string_view data, EventSink& sink) override;
  const char* read_whole(std::string_view body, EventSink& sink) override;

 private:
  using Object = json::ondemand::object;
  using Value = json::ondemand::value;

  bool read_message(Object& message, EventSink& sink, bool whole);
  bool read_block_start(std::size_t index, Value& block, EventSink& sink);
  bool read_delta(std::size_t index, Value& delta, EventSink& sink);
  void read_block_stop(std::size_t index, EventSink& sink);
  bool read_message_delta(Object& object, EventSink& sink);
  bool read_usage(Value& usage);
  OpenBlock* opened(std::size_t index, OpenBlock::Kind kind);
  bool emit_finish(std::string_view reason, std::string_view sequence, EventSink& sink);

  std::string_view data_;  // of the payload that is being read
  OpenBlocks blocks_;
  std::size_t indices_seen_ = 0;  // one more than the highest
  Usage usage_;
};

}  // namespace understudy::llm::detail::anthropic
