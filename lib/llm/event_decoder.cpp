#include "understudy/llm/event_decoder.hpp"

#include <cassert>
#include <functional>

#include "error_body.hpp"
#include "text/json.hpp"
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
      return nullptr;
    }
    if (block->heartbeat) {
      events_.emplace_back(Heartbeat()).raw = block->raw;
    } else {
      read(*block);
    }
  }
  return &events_[next_++];
}

void EventDecoder::read(const SseBlock& block) {
  const auto first = events_.size();
  std::string_view model;
  if (block.source != SseSource::data || block.name == "error") {
    read_error(block);
  } else if (!last_.read(block.name, block.data, events_, arena_, model)) {
    model = parse(block);
  }
  halves_.join(events_, first, arena_);
  events_[first].raw = block.raw;
  // The model's name stands in the data, which may be a copy, and is wanted where it stands in the raw
  // bytes. It is not there if the data had several lines, or had to be made valid UTF-8.
  if (!model.empty() && block.data_at != std::string_view::npos) {
    const auto at = block.data_at + static_cast<std::size_t>(model.data() - block.data.data());
    events_[first].model = block.raw.substr(at, model.size());
  }
}

/// An event that can only be an error, whatever the protocol: named so, in a field `error`, or JSON without `data:`.
void EventDecoder::read_error(const SseBlock& block) {
  const auto first = events_.size();
  const auto error = detail::read_error_body(block.data, arena_);
  last_.forget();
  if (block.source == SseSource::bare_json && !detail::says_error(error)) {
    events_.emplace_back(Undecodable("JSON without `data:`"));
    ++undecodable_;
    return;
  }
  events_.emplace_back(error);
  take_note(first);
}

/// Where in the data the model's name stands, if it does.
std::string_view EventDecoder::parse(const SseBlock& block) {
  const auto first = events_.size();
  detail::EventSink sink(events_, arena_);
  const char* why = shape_ == BodyShape::whole ? reader_->read_whole(block.data, sink)
                                               : reader_->read(block.name, block.data, sink);
  if (why != nullptr && block.data.starts_with('[')) {  // Gemini's list of one error
    why = detail::read_error_instead(block.data, why, sink);
  }
  if (why != nullptr) {
    sink.take_back(0);
    sink.emit(Undecodable(why));
    ++undecodable_;
    last_.forget();
    return {};
  }
  assert(!sink.empty());
  const std::less<> before;
  const bool there = !before(sink.model.data(), block.data.data()) &&
                     before(sink.model.data(), block.data.data() + block.data.size());
  const auto model = there ? sink.model : std::string_view();
  take_note(first);
  last_.learn(block.name, block.data, events_, first, model);
  return model;
}

void EventDecoder::take_note(std::size_t first) {
  for (auto i = first; i < events_.size(); ++i) {
    auto& body = events_[i].body;
    if (std::holds_alternative<Finish>(body)) {
      finished_ = true;
    } else if (std::holds_alternative<End>(body)) {
      ended_ = true;
    } else if (std::holds_alternative<Error>(body)) {
      if (failed_) {
        body = Other("error", false);
      }
      failed_ = true;
    }
  }
}

Ending EventDecoder::ending() const noexcept {
  return failed_ ? Ending::failed : finished_ ? Ending::complete : Ending::cut;
}

}  // namespace understudy::llm
