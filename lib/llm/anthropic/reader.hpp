/// Anthropic's events, one payload at a time; see lib/llm/anthropic/protocol.hpp.
#pragma once

#include <string>

#include "llm/open_blocks.hpp"
#include "text/json.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail::anthropic {

class Reader final : public PayloadReader {
 public:
  const char* read(std::string_view name, std::string_view data, EventSink& sink) override;
  const char* read_whole(std::string_view body, EventSink& sink) override;
  HeldFinish held() const noexcept override {
    return finish_.empty() || settled_ ? HeldFinish::none
           : doubtful_                 ? HeldFinish::doubtful
                                       : HeldFinish::sure;
  }
  void settle(EventSink& sink) override;

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
  bool note_finish(std::string_view reason, std::string_view sequence, EventSink& sink);
  void take_back_finish();
  bool read_stop_details(Value& details, EventSink& sink);

  std::string_view data_;  // of the payload that is being read
  OpenBlocks blocks_;
  std::size_t indices_seen_ = 0;  // one more than the highest
  Usage usage_;
  std::string finish_;  // held; the last one counts
  std::string stop_sequence_;
  std::string explanation_;  // of a refusal
  bool doubtful_ = false;    // an earlier one was taken back
  bool settled_ = false;     // Finish was emitted
};

}  // namespace understudy::llm::detail::anthropic
