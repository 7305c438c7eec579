/// A whole answer, put together from its events: what a call that does not stream gives, and what a
/// gateway writes for a client that did not ask for a stream.
///
///     Answer answer;
///     while (const Event* event = decoder.next()) { answer.add(*event); }
///     codec.write_answer(answer, out);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::llm {

/// One block of an answer, owned.
class AnswerBlock {
 public:
  enum class Kind : unsigned char { text, refusal, reasoning, tool_call };

  AnswerBlock(Kind k, std::size_t n) : kind(k), number(n) {}

  Kind kind;
  std::size_t number;     ///< the events' `block`
  std::string text;       ///< of text, a refusal or readable reasoning
  std::string id;         ///< of a tool call, or of a named reasoning item
  std::string name;       ///< of the tool
  std::string arguments;  ///< JSON text; empty: none
  bool complete = false;  ///< a tool call that may be run
  std::optional<ReasoningSeal::Kind> seal_kind;
  std::string seal;
};

/// See the top of the file.
class UNDERSTUDY_API Answer {
 public:
  Answer() {}

  /// Takes the next event. Copies what it keeps. A second Start, or a Retract, begins anew. Until the last event
  /// was taken, `blocks` may be read but must not be changed.
  void add(const Event& event);

  std::string text() const;  ///< of all text blocks

  std::string id;
  std::string model;
  std::vector<AnswerBlock> blocks;
  Usage usage;
  std::optional<FinishReason> finish;  ///< nothing: the answer is not complete
  std::string native_finish;
  std::string stop_sequence;

 private:
  AnswerBlock& block(AnswerBlock::Kind kind, std::size_t number);

  std::map<std::size_t, std::size_t> places_;  // in `blocks`, by number
};

}  // namespace understudy::llm
