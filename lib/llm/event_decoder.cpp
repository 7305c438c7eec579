#include "understudy/llm/event_decoder.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <type_traits>

#include "error_body.hpp"
#include "text/json.hpp"
#include "text/json_valid.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm {
EventDecoder::EventDecoder(Protocol protocol, BodyShape shape, std::size_t longest)
    : reader_(codec_for(protocol).reader()), shape_(shape), longest_(longest), sse_(longest) {}

EventDecoder::~EventDecoder() = default;
EventDecoder::EventDecoder(EventDecoder&&) noexcept = default;
EventDecoder& EventDecoder::operator=(EventDecoder&&) noexcept = default;

void EventDecoder::feed(std::string_view piece, std::size_t readable_beyond) {
  assert(next_ == events_.size());
  arena_.reset();
  if (shape_ == BodyShape::stream) {
    sse_.feed(piece, readable_beyond);
  } else if (body_.size() + piece.size() > longest_) {
    error_ = SseError::block_too_long;
  } else {
    body_ += piece;
  }
}

void EventDecoder::end() {
  settling_ = true;
  sse_.end();
  if (shape_ == BodyShape::whole && !error_) {
    body_.reserve(body_.size() + sse_padding);
    SseBlock block;
    block.data = block.raw = body_;
    block.data_at = 0;
    read(block);
  }
}

const Event* EventDecoder::next() {
  while (next_ == events_.size()) {
    events_.clear();
    next_ = 0;
    const SseBlock* const block = shape_ == BodyShape::stream ? sse_.next() : nullptr;
    if (block == nullptr) {
      error_ = error_ ? error_ : sse_.error();
      if (!settle_held()) {
        return nullptr;
      }
    } else if (block->heartbeat) {
      events_.emplace_back(Heartbeat()).raw = block->raw;
    } else {
      read(*block);
    }
  }
  return &events_[next_++];
}

void EventDecoder::read(const SseBlock& block) {
  if (ended_ || finished_) {
    return;  // some servers send `[DONE]` after their protocol's own terminal
  }
  std::string_view model;
  if (block.source != SseSource::data || block.name == "error") {
    read_error(block);
  } else if (!hold_.holding() && last_.read(block.name, block.data, events_, arena_, model)) {
    halves_.join(events_, 0, arena_);
    events_.front().raw = block.raw;
    events_.front().model = in_raw(block, model);
  } else {
    parse(block);
  }
}

/// An event that can only be an error, whatever the protocol: named so, in a field `error`, or JSON without `data:`.
void EventDecoder::read_error(const SseBlock& block) {
  detail::EventSink sink(events_, arena_);
  const auto error = detail::read_error_body(block.data, arena_);
  taken_back_ = 0;
  if (block.source == SseSource::bare_json && !detail::says_error(error)) {
    last_.forget();
    sink.emit(Undecodable("JSON without `data:`"));
  } else {
    sink.emit(error);
    place(block, sink);
  }
  take_note();
}

/// Where in the raw bytes a part of the data stands. It does not if the data is a copy: it had several lines, or had to
/// be made valid UTF-8.
std::string_view EventDecoder::in_raw(const SseBlock& block, std::string_view part) const {
  const std::less<> before;
  const bool there = !part.empty() && block.data_at != std::string_view::npos &&
                     !before(part.data(), block.data.data()) &&
                     before(part.data(), block.data.data() + block.data.size());
  return there ? block.raw.substr(
                     block.data_at + static_cast<std::size_t>(part.data() - block.data.data()),
                     part.size())
               : std::string_view();
}

void EventDecoder::parse(const SseBlock& block) {
  detail::EventSink sink(events_, arena_);
  const bool readable = detail::is_done_marker(block.data) || json::is_valid(block.data);
  const char* why = readable ? nullptr : json::malformed;
  if (why == nullptr) {
    why = shape_ == BodyShape::whole ? reader_->read_whole(block.data, sink)
                                     : reader_->read(block.name, block.data, sink);
  }
  if (why != nullptr && block.data.starts_with('[')) {  // Gemini's list of one error
    why = detail::read_error_instead(block.data, why, sink);
  }
  taken_back_ = 0;
  if (why == nullptr) {
    assert(!sink.empty());
    halves_.join(events_, 0, arena_);
    place(block, sink);
    take_note();
    drop_false_end();
    return;
  }
  sink.take_back(0);
  last_.forget();
  if (shape_ == BodyShape::stream && block.data.find_first_of("{\"") == std::string_view::npos) {
    ++undecodable_;
    return;
  }
  sink.emit(Undecodable(why));
  take_note();
}

/// Gives the events of a payload their bytes, holds back a finish, and releases or drops the one that is held.
void EventDecoder::place(const SseBlock& block, const detail::EventSink& sink) {
  const auto model = in_raw(block, sink.model);
  const auto held = reader_->held();
  const auto first_is = [&]<class Body>(std::type_identity<Body>) {
    return std::holds_alternative<Body>(events_.front().body);
  };
  const bool ends = std::holds_alternative<End>(events_.back().body);
  if (hold_.holding() && ends) {
    const auto end = events_.back();
    events_.pop_back();
    release();
    events_.emplace_back(end).raw = block.raw;
  } else if (hold_.holding() && first_is(std::type_identity<Error>()) &&
             held == detail::HeldFinish::sure) {
    events_.clear();
    settle_now();  // the answer was complete
  } else if (first_is(std::type_identity<Error>()) || first_is(std::type_identity<Heartbeat>())) {
    events_.front().raw = block.raw;
  } else {
    if (hold_.holding() && (held == detail::HeldFinish::none || sink.reports_finish)) {
      take_back();
    }
    if (shape_ == BodyShape::whole || held == detail::HeldFinish::none) {
      pass(block, sink, model);
      return;  // the one way on which the payload is a pattern for the next
    }
    if (!sink.finish_value.empty()) {
      split(block, sink);
    } else {
      hold(block, model);
    }
  }
  last_.forget();
}

/// An event of which nothing is held back.
void EventDecoder::pass(const SseBlock& block, const detail::EventSink& sink,
                        std::string_view model) {
  auto& first = events_[taken_back_];
  auto& last = events_.back();
  if (shape_ == BodyShape::stream && !sink.finish_frame.empty()) {  // inferred at End
    detail::finish_among(events_, taken_back_).raw = sink.finish_frame;
    last.raw = block.raw;
  } else {
    first.raw = block.raw;
    first.model = model;
  }
  last_.learn(block.name, block.data, events_, taken_back_, sink.model);
}

void EventDecoder::hold(const SseBlock& block, std::string_view model) {
  std::optional<Usage> usage;
  for (auto i = taken_back_; i < events_.size(); ++i) {
    if (const auto* counted = std::get_if<Usage>(&events_[i].body)) {
      usage = *counted;
    }
  }
  events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(taken_back_), events_.end());
  hold_.hold(block.raw, model, usage);
  if (hold_.full()) {
    settle_now();
  }
}

/// Content with a finish: the content is emitted without it, and the finish is held in a frame of its own.
void EventDecoder::split(const SseBlock& block, const detail::EventSink& sink) {
  auto from = block.raw;
  auto value = in_raw(block, sink.finish_value);
  std::string line;
  if (value.empty()) {  // the data had several lines, or was not UTF-8
    line = "data: ";
    const auto offset =
        line.size() + static_cast<std::size_t>(sink.finish_value.data() - sink.document.data());
    line += sink.document;
    std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    line += "\n\n";
    from = line;
    value = from.substr(offset, sink.finish_value.size());
  }
  const auto at = static_cast<std::size_t>(value.data() - from.data());
  std::string edited(from);
  edited.replace(at, value.size(), "null");
  events_[taken_back_].raw = arena_.keep(edited);
  hold_.hold(sink.finish_frame, {}, std::nullopt);
}

/// More of the answer follows, so the finish that was held did not end it.
void EventDecoder::take_back() {
  std::vector<Event> later;
  later.swap(events_);
  hold_.take_back(events_, arena_);
  taken_back_ = events_.size();
  events_.insert(events_.end(), later.begin(), later.end());
}

/// The events of this payload, from `taken_back_` on, are those that end the answer.
void EventDecoder::release() {
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(taken_back_);
  const std::vector<Event> settled(first, events_.end());
  events_.erase(first, events_.end());
  hold_.release(settled, events_);
}

/// Emits the finish that is held. Nothing that comes later is a part of the answer.
void EventDecoder::settle_now() {
  detail::EventSink sink(events_, arena_);
  reader_->settle(sink);
  halves_.join(events_, taken_back_, arena_);
  release();
}

/// At the end of the stream, or when nothing more is expected.
bool EventDecoder::settle_held() {
  if (!settling_ || !hold_.holding()) {
    return false;
  }
  taken_back_ = 0;
  settle_now();
  take_note();
  return !events_.empty();
}

void EventDecoder::take_note() {
  for (auto& event : events_) {
    auto& body = event.body;
    if (const auto* finish = std::get_if<Finish>(&body)) {
      finished_ = true;
      inferred_ = finish->inferred;
    } else if (std::holds_alternative<End>(body)) {
      ended_ = true;
    } else if (std::holds_alternative<Undecodable>(body)) {
      ++undecodable_;
      failed_ = true;
    } else if (std::holds_alternative<Error>(body)) {
      if (failed_) {
        body = Other("error", false);
      }
      failed_ = true;
    }
  }
}

/// An end without a finish ends the stream, and not the answer: no consumer must see it.
void EventDecoder::drop_false_end() {
  if (ended_ && !finished_ && !events_.empty() &&
      std::holds_alternative<End>(events_.back().body)) {
    events_.pop_back();
  }
}

detail::HeldFinish EventDecoder::held() const noexcept {
  return hold_.holding() ? reader_->held() : detail::HeldFinish::none;
}

Ending EventDecoder::ending() const noexcept {
  return failed_ ? Ending::failed : finished_ ? Ending::complete : Ending::cut;
}

}  // namespace understudy::llm
