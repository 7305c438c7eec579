/// The protocol-specific part of EventDecoder, which decodes single payloads.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/detail/finish_hold.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

/// Receives the events of one payload, and the text that the reader had to unescape.
class EventSink {
 public:
  EventSink(std::vector<Event>& events, text::Arena& arena)
      : events_(events), arena_(arena), first_(events.size()) {}

  template <class Body>
  void emit(const Body& body) {
    events_.emplace_back(body);
  }

  /// Inserts an event at index `at` of this payload's events, before those that were emitted later.
  template <class Body>
  void emit_at(std::size_t at, const Body& body) {
    events_.emplace(events_.begin() + static_cast<std::ptrdiff_t>(first_ + at), body);
  }

  bool empty() const { return events_.size() == first_; }

  /// Removes this payload's events from index `from` on.
  void take_back(std::size_t from) {
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(first_ + from), events_.end());
  }
  std::size_t size() const { return events_.size() - first_; }

  text::Arena& arena() { return arena_; }

  /// Returns a copy that lives as long as the events.
  std::string_view keep(std::string_view text) { return arena_.keep(text); }

  /// The model's name as a part of the payload, without its quotes.
  std::string_view model;

  /// The payload reports a finish.
  bool reports_finish = false;

  /// A finish that came with content: the value that reports it, as a part of `document`, which is the payload, or the
  /// copy that was parsed in its place.
  std::string_view finish_value;
  std::string_view document;

  /// A frame that reports the finish alone, for a stream that has none.
  std::string_view finish_frame;

 private:
  std::vector<Event>& events_;
  text::Arena& arena_;
  std::size_t first_;
};

/// Returns whether the data is Chat's terminal, which servers of the other protocols send as well.
inline bool is_done_marker(std::string_view data) {
  return data.substr(std::min(data.find_first_not_of(' '), data.size())).starts_with("[DONE]");
}

/// Decodes the payloads of one answer. The contents of `data` never cause an exception.
class PayloadReader {
 public:
  virtual ~PayloadReader() = default;

  /// Decodes one event of the stream. At least `sse_padding` bytes after `data` must be readable. Emits at least one
  /// event and returns nullptr, or returns why the event could not be decoded; the caller then removes the events that
  /// were emitted.
  virtual const char* read(std::string_view name, std::string_view data, EventSink& sink) = 0;

  /// Returns the finish that `read` has seen and not emitted.
  virtual HeldFinish held() const noexcept { return HeldFinish::none; }

  /// The stream has ended: emits the ends of the calls that are open and Finish, if there is a held one. `read` does so
  /// itself before it emits End.
  virtual void settle(EventSink& /*sink*/) {}

  /// Decodes a whole answer, which is one JSON document. Emits a complete answer with Finish and End, or an Error.
  /// Returns as for `read`.
  virtual const char* read_whole(std::string_view body, EventSink& sink) = 0;
};

}  // namespace understudy::llm::detail
