/// Events as chat completion chunks; see lib/llm/openai_chat/protocol.hpp.
///
/// Invariants
/// 1. The finish is written at End, once: an earlier Finish is replaced by a later one, and content may stand between.
/// 2. Calls are numbered 0, 1, 2... as they begin, also where a second answer is spliced in. Nothing follows `[DONE]` or
///    an error.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "llm/custom_input.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail::openai_chat {

/// Members of the object that is open.
void write_usage(JsonWriter& json, const Usage& usage);
class Encoder final : public EventEncoder {
 public:
  Encoder(bool usage, std::chrono::sys_seconds created) : usage_wanted_(usage), created_(created) {}

  void write(const Event& event, std::string& out) override;
  void follow(const Event& event) override;

 private:
  struct Call {
    std::size_t index;
    bool custom = false;
    CustomInput input = {};
    bool has_arguments = false;
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

  void say_arguments(Call& call, std::string_view piece, std::string& out);
  template <class WriteDelta>
  void chunk(std::string& out, std::string_view finish, WriteDelta delta);
  void usage_chunk(std::string& out);
  void begin_chunk(JsonWriter& json) const;

  bool usage_wanted_;
  std::chrono::sys_seconds created_;
  std::string id_;
  std::string model_;
  std::map<std::size_t, Call> calls_;  // by block
  std::size_t next_call_ = 0;
  Usage usage_;
  bool counted_ = false;  // usage_ is to be written
  bool started_ = false;
  std::optional<FinishReason> finish_;  // to be written
  std::string native_;
  bool finished_ = false;  // it is written
  bool ended_ = false;
};

}  // namespace understudy::llm::detail::openai_chat
