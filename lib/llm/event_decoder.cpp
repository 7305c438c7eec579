#include "understudy/llm/event_decoder.hpp"

#include <cassert>
#include <functional>

#include "json.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy {
namespace {

bool within(std::string_view inner, std::string_view outer) {
  return !std::less<>()(inner.data(), outer.data()) &&
         !std::less<>()(outer.data() + outer.size(), inner.data() + inner.size());
}

}  // namespace

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
  if (shape_ == BodyShape::whole && !error_) {
    body_.reserve(body_.size() + sse_padding);
    read({}, body_, body_, true);
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
      read(block->name, block->data, block->raw, false);
    }
  }
  return &events_[next_++];
}

void EventDecoder::read(std::string_view name, std::string_view data, std::string_view raw,
                        bool whole) {
  const auto first = events_.size();
  detail::EventSink sink(events_, arena_);
  const char* const why = whole ? reader_->read_whole(data, sink) : reader_->read(name, data, sink);
  if (why != nullptr) {
    sink.take_back(0);
    sink.model = {};
    sink.emit(Undecodable(why));
    ++undecodable_;
  }
  assert(!sink.empty());
  events_[first].raw = raw;
  if (!sink.model.empty() && within(sink.model, raw)) {
    events_[first].model = sink.model;
  }
  take_note(first);
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

}  // namespace understudy
