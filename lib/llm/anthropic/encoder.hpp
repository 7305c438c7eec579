/// Events as Anthropic streams them; see lib/llm/anthropic/protocol.hpp.
///
/// Invariants
/// 1. Blocks are written one after the other: each is stopped before the next is started, and the last one before
///    `message_delta`. So what comes while a tool call is open, be it another call of the same turn, waits until the
///    call has ended.
/// 2. There is one `message_start`: where a second answer is spliced in, its blocks follow those of the first one.
///    Nothing follows `message_stop` or `error`.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>

#include "understudy/llm/event_encoder.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail::anthropic {

/// The word for a finish: one of those that the SDK knows.
std::string_view stop_word(FinishReason reason);

/// Members of the object that is open.
void write_usage(JsonWriter& json, const Usage& usage);
void write_stop(JsonWriter& json, std::string_view reason, std::string_view sequence);
void write_error(JsonWriter& json, const Error& error);

class Encoder final : public EventEncoder {
 public:
  /// `prompt_tokens`: an estimate, for a message_start before the provider has counted.
  explicit Encoder(std::uint64_t prompt_tokens) : prompt_tokens_(prompt_tokens) {}

  void write(const Event& event, std::string& out) override;
  void follow(const Event& event) override;

 private:
  enum class Kind : unsigned char { text, thinking, redacted, tool, other };
  struct Open {
    std::optional<std::size_t>
        block;  // nothing: the provider began it, and has said nothing in it yet
    std::size_t wire;
    Kind kind;
    bool cut = false;     // a call of which no more will come
    bool sealed = false;  // thinking that has its signature: what follows is another block
  };
  struct Waiting {
    std::size_t block;
    Kind kind;
    std::string id;  // of a call; the data of a redacted block
    std::string name;
    std::string text;  // or arguments
    std::string signature;
    std::optional<bool> complete;  // of a call that has ended
  };

  void begin(const Start& start);
  void put(const Start& start, std::string& out);
  void put(const Text& text, std::string& out);
  void put(const Reasoning& reasoning, std::string& out);
  void put(const ReasoningSeal& seal, std::string& out);
  void put(const ToolStart& call, std::string& out);
  void put(const ToolArguments& arguments, std::string& out);
  void put(const ToolEnd& end, std::string& out);
  void put(const Usage& usage, std::string& out);
  void put(const Finish& finish, std::string& out);
  void put(const End& end, std::string& out);
  void put(const Heartbeat& heartbeat, std::string& out);
  void put(const Error& error, std::string& out);
  void put(const Other&, std::string&) {}
  void put(const Undecodable&, std::string&) {}
  void put(const Retract&, std::string&) {}

  void begin_message(std::string& out);
  void finish_message(std::string& out);
  std::size_t index_of(std::size_t block, Kind kind, std::string& out);
  std::size_t open(std::size_t block, Kind kind, std::string& out, std::string_view data = {},
                   std::string_view name = {});
  void close(std::string& out);
  bool in_call() const;
  Waiting& waiting(std::size_t block, Kind kind);
  void end_call(bool complete, std::string& out);
  void end_blocks(std::string& out);
  void write_waiting(std::string& out);
  void adopt(const Event& event);

  std::string id_;
  std::string model_;
  bool started_ = false;
  bool ended_ = false;
  bool begun_ = false;     // message_start is written
  bool finished_ = false;  // message_delta is written
  std::optional<Open> open_;
  std::size_t next_ = 0;
  std::list<Waiting> waiting_;             // in the order in which they began
  std::map<std::size_t, Waiting*> calls_;  // of these, by block
  Usage usage_;
  std::uint64_t prompt_tokens_;
  bool has_finish_ = false;
  bool called_ = false;  // a tool call was written
  std::string stop_reason_;
  std::string stop_sequence_;
  std::string followed_;  // what is written of an event that is only followed
};

}  // namespace understudy::llm::detail::anthropic
