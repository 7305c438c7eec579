/// The blocks of an answer that a reader has open: what the wire calls them, and what events do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/detail/payload.hpp"

namespace understudy::detail {

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

  std::size_t wire;   // the protocol's own index
  std::size_t block;  // the events'; for `other` none
  Kind kind;
  JsonBalance arguments;
  std::string id;        // of a call, where the index alone is not to be trusted
  std::size_t said = 0;  // bytes of it, where the whole is repeated at the end
};

class OpenBlocks {
 public:
  /// A hostile stream must not make this grow without end.
  static constexpr std::size_t most = 1024;

  /// The latest of that index.
  OpenBlock* find(std::size_t wire) {
    return find_if([&](const OpenBlock& b) { return b.wire == wire; });
  }
  template <class Predicate>
  OpenBlock* find_if(Predicate predicate) {
    const auto found = std::find_if(open_.rbegin(), open_.rend(), predicate);
    return found == open_.rend() ? nullptr : &*found;
  }
  std::size_t size() const { return open_.size(); }
  OpenBlock* latest() { return open_.empty() ? nullptr : &open_.back(); }

  /// For a block that need not be found again.
  std::size_t number() { return next_++; }

  /// nullptr if there are too many.
  OpenBlock* open(std::size_t wire, OpenBlock::Kind kind) {
    if (open_.size() == most) {
      return nullptr;
    }
    const auto block = kind == OpenBlock::Kind::other ? 0 : next_++;
    open_.push_back({wire, block, kind, {}, {}, 0});
    return &open_.back();
  }

  void close(std::size_t wire) {
    close_if([&](const OpenBlock& b) { return b.wire == wire; });
  }
  template <class Predicate>
  void close_if(Predicate predicate) {
    std::erase_if(open_, predicate);
  }

  /// Ends every tool call that is open, `complete(block)` or not, and forgets all blocks.
  template <class Complete>
  void end_all(EventSink& sink, Complete complete) {
    for (const auto& block : open_) {
      if (block.kind == OpenBlock::Kind::tool) {
        sink.emit(ToolEnd(block.block, complete(block)));
      }
    }
    open_.clear();
  }

  bool any_tool() const {
    return std::any_of(open_.begin(), open_.end(),
                       [](const OpenBlock& b) { return b.kind == OpenBlock::Kind::tool; });
  }

  void restart() {
    open_.clear();
    next_ = 0;
  }

 private:
  std::vector<OpenBlock> open_;
  std::size_t next_ = 0;
};

}  // namespace understudy::detail
