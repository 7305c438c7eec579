/// A whole answer, assembled from its events: the result of a call that does not stream, and what a gateway writes for
/// a client that did not request a stream.
///
///     Answer answer;
///     while (const Event* event = decoder.next()) { answer.add(*event); }
///     codec.write_answer(answer, request, out);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/reasoning_origin.hpp"

namespace understudy::llm {

/// One block of an answer. It owns its text.
class AnswerBlock {
 public:
  /// What the block is.
  enum class Kind : unsigned char { text, refusal, reasoning, tool_call };

  AnswerBlock(Kind k, std::size_t n) : kind(k), number(n) {}

  Kind kind;
  std::size_t number;      ///< the `block` of the events
  std::string text;        ///< text, a refusal or readable reasoning
  std::string id;          ///< the id of a tool call or of a reasoning item
  std::string name;        ///< the name of the tool
  std::string name_space;  ///< the namespace of the tool; empty: none
  ToolForm form = ToolForm::function;
  std::string arguments;  ///< JSON text; empty: no arguments
  bool complete = false;  ///< the tool call may be run
  std::optional<ReasoningSeal::Kind> seal_kind;
  std::string seal;
};

/// See the top of the file.
class UNDERSTUDY_API Answer {
 public:
  Answer() {}

  /// Adds the next event, and copies what it keeps. A second Start or a Retract discards all earlier events. The caller
  /// may read `blocks` between calls, but must not change it before the last event.
  void add(const Event& event);

  /// Returns the concatenated text of all text blocks.
  std::string text() const;

  std::string id;
  std::string model;
  std::vector<AnswerBlock> blocks;
  Usage usage;
  std::optional<FinishReason> finish;  ///< empty: the answer is not complete
  std::string native_finish;
  std::string stop_sequence;
  /// The whole answer as the provider's own JSON, if it was asked for (RequestOptions::with_provider_json): what none of
  /// the other members can express is in it too. Otherwise empty. `add` does not set it.
  std::string provider_json;
  Protocol protocol = Protocol::openai_chat;  ///< of the provider; `add` does not set it
  ReasoningOrigin origin;                     ///< whose reasoning it has; likewise

 private:
  AnswerBlock& block(AnswerBlock::Kind kind, std::size_t number);

  std::map<std::size_t, std::size_t> places_;  // in `blocks`, by number
};

}  // namespace understudy::llm
