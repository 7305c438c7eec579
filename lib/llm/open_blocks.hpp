/// The blocks of an answer that a reader has open: what the wire calls them, and what events do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "call_arguments.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail {

struct OpenBlock {
  enum class Kind : unsigned char { text, reasoning, tool, other };

  std::size_t block;  // the events' number; for `other` none
  Kind kind;
  CallArguments arguments;
  std::string id;        // of a call, where the index alone is not to be trusted; of a named item
  std::size_t said = 0;  // bytes of it, where the whole is repeated at the end
  bool ended = false;    // a call that does not parse: the finish says whether it was cut
};

/// Whether an answer that ended for that reason may end in the middle of a call.
inline bool may_cut_calls(FinishReason reason) {
  switch (reason) {
    case FinishReason::length:
    case FinishReason::context_full:
    case FinishReason::refusal:
    case FinishReason::pause: return true;
    case FinishReason::stop:
    case FinishReason::stop_sequence:
    case FinishReason::tool_use:
    case FinishReason::other: return false;
  }
  return false;
}

inline constexpr const char* broken_arguments = "the arguments of a tool call are not valid JSON";

/// Emits the end of a call, as its arguments and the answer's finish, if it has one yet, say. A call whose arguments do
/// not parse although the answer was not cut is a broken answer.
inline void end_call(EventSink& sink, const OpenBlock& call, CallArguments::Verdict verdict,
                     std::optional<FinishReason> finish) {
  const bool may_be_cut = !finish || may_cut_calls(*finish);
  switch (verdict) {
    case CallArguments::Verdict::none: sink.emit(ToolEnd(call.block, !may_be_cut)); break;
    case CallArguments::Verdict::valid: sink.emit(ToolEnd(call.block, finish.has_value())); break;
    case CallArguments::Verdict::restated:
      sink.emit(ToolEnd(call.block, finish.has_value(), sink.keep(call.arguments.restated())));
      break;
    case CallArguments::Verdict::broken:
      if (may_be_cut) {
        sink.emit(ToolEnd(call.block, false));
      } else {
        sink.emit(Undecodable(broken_arguments));
      }
      break;
  }
}

/// By index, so that a delta finds its block at once however many are open. A block stays where it is until it is
/// closed.
class OpenBlocks {
 public:
  /// A hostile stream must not make this grow without end.
  static constexpr std::size_t most = 1024;

  /// The latest of that index.
  OpenBlock* find(std::size_t wire) {
    const auto behind = open_.upper_bound(wire);
    return behind != open_.begin() && std::prev(behind)->first == wire ? &std::prev(behind)->second
                                                                       : nullptr;
  }
  std::size_t size() const { return open_.size(); }

  /// For a block that need not be found again.
  std::size_t number() { return next_++; }

  /// nullptr if there are too many.
  OpenBlock* open(std::size_t wire, OpenBlock::Kind kind) {
    if (open_.size() == most) {
      return nullptr;
    }
    const auto block = kind == OpenBlock::Kind::other ? 0 : next_++;
    return &open_.emplace(wire, OpenBlock{block, kind, {}, {}, 0, false})->second;
  }

  void close(std::size_t wire) { open_.erase(wire); }

  /// Those of an index from `first` to `last`.
  void close(std::size_t first, std::size_t last) {
    open_.erase(open_.lower_bound(first), open_.upper_bound(last));
  }

  /// Ends every tool call that is open, and forgets all blocks. `finish`: how the answer ended; nothing if it was cut.
  void end_all(EventSink& sink, std::optional<FinishReason> finish) {
    for (auto& [wire, block] : open_) {
      if (block.kind == OpenBlock::Kind::tool) {
        end_call(sink, block, block.arguments.judge(), finish);
      }
    }
    open_.clear();
  }

  /// Whether there are calls, and the arguments of all of them parse.
  bool whole_calls() {
    bool any = false;
    for (auto& [wire, block] : open_) {
      const bool call = block.kind == OpenBlock::Kind::tool;
      any = any || call;
      const auto verdict = call ? block.arguments.judge() : CallArguments::Verdict::valid;
      if (verdict == CallArguments::Verdict::none || verdict == CallArguments::Verdict::broken) {
        return false;
      }
    }
    return any;
  }

  bool any_tool() const {
    return std::any_of(open_.begin(), open_.end(),
                       [](const auto& b) { return b.second.kind == OpenBlock::Kind::tool; });
  }

  void restart() {
    open_.clear();
    next_ = 0;
  }

 private:
  std::multimap<std::size_t, OpenBlock> open_;  // by the protocol's own index
  std::size_t next_ = 0;
};

}  // namespace understudy::llm::detail
