/// Copies of events that own the text of their views, so that they can be kept after the next read.
#pragma once

#include <memory>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::detail {

/// A queue of events. A pointer that `next` returned is valid until `clear` or the destructor.
class UNDERSTUDY_API HeldEvents {
 public:
  void add(const llm::Event& event);

  const llm::Event* next() noexcept {
    return taken_ == events_.size() ? nullptr : events_[taken_++].get();
  }
  /// Returns the event that was added last. Requires one.
  const llm::Event& last() const noexcept { return *events_.back(); }
  /// Removes all events and frees their memory.
  void clear() { *this = HeldEvents(); }

  bool empty() const noexcept { return taken_ == events_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::string_view keep(std::string_view text);

  std::vector<std::unique_ptr<llm::Event>>
      events_;  // most often none: an empty deque takes half a KiB
  std::size_t taken_ = 0;
  std::size_t bytes_ = 0;
  text::Arena arena_;
};

}  // namespace understudy::detail
