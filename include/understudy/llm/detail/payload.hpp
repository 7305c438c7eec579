/// What a protocol's codec adds to the machinery of EventDecoder: it takes single payloads apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

/// Where a reader puts the events of one payload, and the text that it had to unescape.
class EventSink {
 public:
  EventSink(std::vector<Event>& events, text::Arena& arena)
      : events_(events), arena_(arena), first_(events.size()) {}

  template <class Body>
  void emit(const Body& body) {
    events_.emplace_back(body);
  }

  /// As this payload's event number `at`, before those that were emitted since.
  template <class Body>
  void emit_at(std::size_t at, const Body& body) {
    events_.emplace(events_.begin() + static_cast<std::ptrdiff_t>(first_ + at), body);
  }

  bool empty() const { return events_.size() == first_; }

  /// What this payload said from its event number `from` on is not to be.
  void take_back(std::size_t from) {
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(first_ + from), events_.end());
  }
  std::size_t size() const { return events_.size() - first_; }

  text::Arena& arena() { return arena_; }

  /// Where the model's name stands in the payload, between its quotes.
  std::string_view model;

 private:
  std::vector<Event>& events_;
  text::Arena& arena_;
  std::size_t first_;
};

/// The client's half of one answer. Never throws on what `data` holds.
class PayloadReader {
 public:
  virtual ~PayloadReader() = default;

  /// One event of the stream, at least `sse_padding` bytes after `data` readable. Emits at least one
  /// event, or returns why it could not be read; what it emitted until then is taken back.
  virtual const char* read(std::string_view name, std::string_view data, EventSink& sink) = 0;

  /// The whole answer as one JSON document: a complete answer with Finish and End, or an Error.
  virtual const char* read_whole(std::string_view body, EventSink& sink) = 0;
};

}  // namespace understudy::llm::detail
