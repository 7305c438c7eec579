/// Chat completion chunks, one payload at a time; see lib/llm/openai_chat/protocol.hpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "llm/open_blocks.hpp"
#include "text/json.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail::openai_chat {

class Reader final : public PayloadReader {
 public:
  const char* read(std::string_view name, std::string_view data, EventSink& sink) override;
  const char* read_whole(std::string_view body, EventSink& sink) override;
  HeldFinish held() const noexcept override;
  void settle(EventSink& sink) override;

 private:
  using Value = json::ondemand::value;

  struct Chunk {
    std::string_view id;  // as they are written
    std::string_view model;
    bool object = false;  // it has a member of that name
    bool choices = false;
    bool other_object = false;  // "object" says that it is an error
    bool failed = false;
    bool counted = false;
    bool advanced = false;
    bool other_choice = false;
    std::optional<std::string_view> finish;
    std::string_view finish_value;  // as it stands in the payload
    Error error;
  };

  const char* read_chunk(std::string_view data, EventSink& sink);
  bool read_member(json::ondemand::raw_json_string key, Value& v, Chunk& chunk, EventSink& sink);
  bool read_choice(Value& choice, Chunk& chunk, EventSink& sink);
  void note_other(std::size_t index, bool finished, Chunk& chunk);
  bool read_delta(Value& delta, EventSink& sink);
  bool read_content_parts(Value& content, EventSink& sink);
  bool read_signature(Value& extra, std::string_view& signature, text::Arena& arena);
  bool read_reasoning_details(Value& details, bool has_text, EventSink& sink);
  bool read_call(Value& call, EventSink& sink);
  bool read_function(Value& function, std::string_view& name, std::string_view& arguments,
                     text::Arena& arena);
  bool emit_call(std::optional<std::size_t> index, std::string_view id, std::string_view name,
                 std::string_view arguments, EventSink& sink);
  bool read_usage(Value& usage, Chunk& chunk);
  void emit_text(std::string_view text, bool refusal, EventSink& sink);
  void emit_reasoning(std::string_view text, EventSink& sink);
  std::size_t reasoning_block();
  void note_finish(Chunk& chunk, EventSink& sink);
  void write_finish_frame(EventSink& sink) const;
  void keep_head(const Chunk& chunk, std::string_view created);
  void infer_finish(EventSink& sink);
  FinishReason finish_reason() const;

  enum class Writing : unsigned char { nothing, text, refusal, reasoning };

  OpenBlocks calls_;
  OpenBlock* latest_ = nullptr;                   // of calls_
  std::map<std::string_view, OpenBlock*> by_id_;  // the latest of each id
  Writing writing_ = Writing::nothing;
  std::size_t block_ = 0;  // being written
  Usage usage_;
  std::uint64_t prompt_processed_ = 0;
  bool started_ = false;
  bool said_ = false;      // anything of the answer
  bool said_now_ = false;  // in this chunk
  bool called_ = false;
  bool refused_ = false;
  std::string head_;       // of every chunk: id, time and model, as they are written
  std::string finish_;     // held; the last one counts
  bool doubtful_ = false;  // the provider reports a finish where there is none
  bool inferred_ = false;  // `finish_` was
  bool settled_ = false;   // Finish was emitted
  bool empty_reason_ = false;
  bool usage_beside_ = false;     // usage came in a chunk that has choices
  bool usage_alone_ = false;      // in one that has none, last of all
  std::set<std::size_t> others_;  // choices but the first that have begun and not finished
  std::string waiting_finish_;    // for them
};

}  // namespace understudy::llm::detail::openai_chat
