#include "understudy/llm/answer_fold.hpp"

#include <algorithm>

#include "payload_fold.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::llm {
namespace {

/// After so many bytes the fold is measured again: seldom, since that takes time for every value in it.
constexpr std::size_t measured_every = std::size_t{1024} * 1024;

}  // namespace

AnswerFold::AnswerFold(Protocol protocol, BodyShape shape, std::size_t longest)
    : protocol_(protocol), shape_(shape), longest_(longest), fold_(codec_for(protocol).fold()) {}

AnswerFold::~AnswerFold() = default;
AnswerFold::AnswerFold(AnswerFold&&) noexcept = default;
AnswerFold& AnswerFold::operator=(AnswerFold&&) noexcept = default;

void AnswerFold::feed(std::string_view raw) {
  if (failed()) {
    return;
  }
  arena_.reset();
  if (shape_ == BodyShape::whole) {
    body_ += raw;
    why_ = body_.size() > longest_ ? "the answer is too large" : nullptr;
    return;
  }
  sse_.feed(raw);
  while (const SseBlock* block = failed() ? nullptr : sse_.next()) {
    if (!block->heartbeat) {
      add(block->name, block->data);
    }
  }
}

void AnswerFold::add(std::string_view name, std::string_view data) {
  const auto begin = std::min(data.find_first_not_of(' '), data.size());
  if (!data.substr(begin).starts_with('{')) {  // `[DONE]`, for instance
    return;
  }
  compact_.clear();
  why_ = json::append_compact(data, arena_, compact_);
  why_ = why_ != nullptr ? why_ : fold_->add(name, compact_);
  unmeasured_ += compact_.size();
  if (why_ == nullptr && unmeasured_ >= measured_every) {
    why_ = fold_->length() > longest_ ? "the answer is too large" : nullptr;
    unmeasured_ = 0;
    compact_ = std::string();
  }
}

Result<std::string> AnswerFold::finish(const Answer& typed) {
  if (shape_ == BodyShape::whole && !failed() && !body_.empty()) {
    compact_.clear();
    why_ = json::append_compact(json::padded_copy(body_, arena_), arena_, compact_);
    body_ = std::string();
    why_ = why_ != nullptr ? why_ : fold_->add_whole(compact_);
  }
  compact_ = std::string();
  arena_.reset();
  if (failed()) {
    return Failure(FailoverReason::malformed_response,
                   why_ != nullptr ? why_ : sse_.error().message());
  }
  std::string out;
  if (!fold_->finish(typed, out)) {
    codec_for(protocol_).write_answer(typed, Request(), out);
  }
  fold_.reset();
  json::replace_lone_surrogates(out);
  return out;
}

}  // namespace understudy::llm
