/// Compares the stream that a client gets with the expected answer, reading it as the SDKs do: pieces are concatenated,
/// what is over is over.
///
/// Invariants
/// 1. It shares nothing with our decoders and encoders, so that an error in them is not in it as well.
/// 2. A client that is told that an answer is complete has all of its text and, for each tool call, exactly its
///    arguments. Anything less is complete only with an error.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/testing/answer_check.hpp"

namespace understudy::testing {

/// Of one answer. See the top of the file.
class UNDERSTUDY_API ClientCheck {
 public:
  ClientCheck(llm::Protocol protocol, WholeAnswer right)
      : protocol_(protocol), right_(std::move(right)) {}

  /// Reads the next frames, whole ones.
  void take(std::string_view frames);
  /// The answer ends after so many of its calls, because it broke there (failover.md 9.2).
  void ends_after(std::size_t calls) {
    right_.calls.erase(right_.calls.begin() + static_cast<std::ptrdiff_t>(calls),
                       right_.calls.end());
  }
  /// Ends the stream: whether the client was to be told that the answer is complete.
  void end(bool complete);

  /// What is wrong; empty if nothing is.
  const std::string& complaint() const noexcept { return complaint_; }

 private:
  using Json = simdjson::dom::element;

  void complain(std::string_view what);
  void read(const std::string& data);
  void read_chat(const Json& json);
  void read_messages(const Json& json);
  void read_responses(const Json& json);
  void say(std::string_view text);
  void call(std::uint64_t index, std::string_view name, std::string_view arguments);
  void finish(std::string_view word);

  llm::Protocol protocol_;
  WholeAnswer right_;
  simdjson::dom::parser parser_;
  std::string text_;
  std::map<std::uint64_t, WholeAnswer::Call> calls_;
  bool finished_ = false;
  bool ended_ = false;
  bool failed_ = false;
  std::string complaint_;
};

}  // namespace understudy::testing
