/// The blocks of an answer that a reader has open: what the wire calls them, and what events do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail {

/// Whether pieces of JSON text make one whole object, looking at brackets and quotes alone.
class JsonBalance {
 public:
  void add(std::string_view piece) {
    for (const char c : piece) {
      const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
      beyond_ = beyond_ || (ended_ && !space);
      if (escaped_) {
        escaped_ = false;
      } else if (quoted_) {
        escaped_ = c == '\\';
        quoted_ = c != '"';
      } else if (c == '"') {
        quoted_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        --depth_;
        ended_ = depth_ == 0;
      }
    }
    empty_ = empty_ && piece.empty();
  }
  bool empty() const { return empty_; }
  bool whole() const { return !empty_ && depth_ == 0 && !quoted_ && !beyond_; }

 private:
  std::ptrdiff_t depth_ = 0;
  bool quoted_ = false;
  bool escaped_ = false;
  bool ended_ = false;   // the first object
  bool beyond_ = false;  // something follows it
  bool empty_ = true;
};

struct OpenBlock {
  enum class Kind : unsigned char { text, reasoning, tool, other };

  std::size_t block;  // the events' number; for `other` none
  Kind kind;
  JsonBalance arguments;
  std::string id;        // of a call, where the index alone is not to be trusted; of a named item
  std::size_t said = 0;  // bytes of it, where the whole is repeated at the end
};

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
    return &open_.emplace(wire, OpenBlock{block, kind, {}, {}, 0})->second;
  }

  void close(std::size_t wire) { open_.erase(wire); }

  /// Those of an index from `first` to `last`.
  void close(std::size_t first, std::size_t last) {
    open_.erase(open_.lower_bound(first), open_.upper_bound(last));
  }

  /// Ends every tool call that is open, `complete(block)` or not, and forgets all blocks.
  template <class Complete>
  void end_all(EventSink& sink, Complete complete) {
    for (const auto& [wire, block] : open_) {
      if (block.kind == OpenBlock::Kind::tool) {
        sink.emit(ToolEnd(block.block, complete(block)));
      }
    }
    open_.clear();
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
