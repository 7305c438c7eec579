#include "understudy/client/recovery.hpp"

#include <algorithm>
#include <utility>

#include "folding.hpp"

namespace understudy {
namespace {

/// Bytes of text for a token, about.
constexpr std::size_t bytes_a_token = 4;

/// The block that an event is about, if it is about one.
std::optional<std::size_t> block_of(const llm::Event& event) {
  return std::visit(
      [](const auto& body) -> std::optional<std::size_t> {
        if constexpr (requires { body.block; }) {
          return body.block;
        } else {
          return std::nullopt;
        }
      },
      event.body);
}

}  // namespace

bool Recovery::take(const llm::Event& event) {
  if (from_) {
    rewrite(event);
    return false;
  }
  if (holds(event)) {
    keep(event);
    return false;
  }
  if (!open_calls_.empty() && !live_calls_) {
    // A heartbeat, at once; its bytes, which may have a number in the order of all events, wait with what is held.
    due_.add(llm::Event(event.body));
    keep(event);
    return false;
  }
  see(event);
  return true;
}

bool Recovery::holds(const llm::Event& event) const noexcept {
  const bool alive = std::holds_alternative<llm::Heartbeat>(event.body);
  return !live_calls_ &&
         (std::holds_alternative<llm::ToolStart>(event.body) || (!open_calls_.empty() && !alive));
}

void Recovery::forget_given() {
  if (due_.empty() && due_.bytes() != 0) {
    due_.clear();
  }
}

/// The consumer gets it.
void Recovery::see(const llm::Event& event) {
  if (const auto block = block_of(event)) {
    blocks_ = std::max(blocks_, *block + 1);
  }
  if (const auto* text = std::get_if<llm::Text>(&event.body)) {
    if (text_.size() <= most_kept) {  // else nobody will be asked to go on with it
      text_ += text->text;
    }
    open_text_ = text->block;
  } else if (block_of(event) && block_of(event) != open_text_) {
    open_text_.reset();
  }
  complete_call_.note(event);
  live_open_ += std::holds_alternative<llm::ToolStart>(event.body) ? 1 : 0;
  live_open_ -= std::holds_alternative<llm::ToolEnd>(event.body) && live_open_ > 0 ? 1 : 0;
  if (const auto* usage = std::get_if<llm::Usage>(&event.body)) {
    usage_ = *usage;
  }
}

/// Until no call is open, or the answer ends: then a call that was cut short says so itself.
void Recovery::keep(const llm::Event& event) {
  kept_.add(event);
  if (const auto* start = std::get_if<llm::ToolStart>(&event.body)) {
    open_calls_.push_back(start->block);
  } else if (const auto* end = std::get_if<llm::ToolEnd>(&event.body)) {
    std::erase(open_calls_, end->block);
    if (!end->restated.empty()) {
      restated_[end->block] = std::get<llm::ToolEnd>(kept_.last().body).restated;
    }
  }
  if (open_calls_.empty() || std::holds_alternative<llm::Finish>(event.body)) {
    release();
  }
}

void Recovery::release() {
  while (const llm::Event* event = kept_.next()) {
    auto due = *event;
    if (!restated_.empty()) {
      restate(due);
    }
    see(due);
    due_.add(due);
  }
  kept_.clear();
  open_calls_.clear();
  restated_.clear();
}

/// Calls whose arguments were sent again come out with what they mean, in one piece. The bytes of an event may be
/// another call's too, so that all that are released together are changed.
void Recovery::restate(llm::Event& event) {
  event.changed = std::holds_alternative<llm::ToolStart>(event.body) ||
                  std::holds_alternative<llm::ToolArguments>(event.body) ||
                  std::holds_alternative<llm::ToolEnd>(event.body);
  if (auto* piece = std::get_if<llm::ToolArguments>(&event.body)) {
    if (const auto call = restated_.find(piece->block); call != restated_.end()) {
      piece->json = std::exchange(call->second, std::string_view());
    }
  }
}

Rung Recovery::rung() const {
  if (live_open_ > 0 || complete_call_.unfinished()) {
    return Rung::give_up;
  }
  if (complete_call_.name()) {
    return Rung::end_here;
  }
  if (text_.size() > most_kept) {
    return Rung::give_up;
  }
  return detail::white_prefix(text_) == text_.size() ? Rung::anew : Rung::go_on;
}

void Recovery::goes_on(Rung rung, std::size_t repeated) {
  from_ = rung;
  // What the answer has cost so far, if the broken member did not say: its text is what is known of it.
  const auto said = static_cast<std::uint64_t>(text_.size() / bytes_a_token);
  spent_ = rung == Rung::go_on ? std::max(said, usage_.output.value_or(0)) : 0;
  repeated_ = static_cast<std::uint64_t>(repeated / bytes_a_token);
  go_on_in_ = rung == Rung::go_on ? open_text_ : std::nullopt;
  earlier_ = rung == Rung::go_on ? usage_ : llm::Usage();
  kept_.clear();
  due_.clear();
  open_calls_.clear();
  places_.clear();
  next_place_ = 0;
}

void Recovery::end_here() {
  from_ = Rung::end_here;
  kept_.clear();
  open_calls_.clear();
  llm::Finish finish(llm::FinishReason::tool_use, {});
  finish.inferred = true;
  due_.add(llm::Event(finish));
  due_.add(llm::Event(llm::End()));
}

/// The usage of the answer: the prompt as the client sent it, and all of the answer. What its rescue cost in addition is
/// in the report.
llm::Usage Recovery::of_the_answer(llm::Usage usage) const {
  if (earlier_.input) {
    usage.input = earlier_.input;
    usage.cache_read = earlier_.cache_read;
    usage.cache_write = earlier_.cache_write;
  }
  if (usage.output) {
    usage.output = spent_ + *usage.output - std::min(*usage.output, repeated_);
  }
  if (earlier_.reasoning) {
    usage.reasoning = *earlier_.reasoning + usage.reasoning.value_or(0);
  }
  return usage;
}

/// Where the consumer has a later member's block. Its first text goes on with the text that was cut.
std::size_t Recovery::place_of(std::size_t block) {
  const auto found = places_.find(block);
  if (found != places_.end()) {
    return found->second;
  }
  // Those that are kept have their places, though the consumer has not seen them.
  const auto place = std::max(blocks_, next_place_);
  next_place_ = place + 1;
  return places_.emplace(block, place).first->second;
}

void Recovery::rewrite(const llm::Event& event) {
  llm::Event written(event.body);
  const bool goes_on = from_ == Rung::go_on;
  if (const auto* text = std::get_if<llm::Text>(&event.body); text && go_on_in_) {
    places_.emplace(text->block, *go_on_in_);
    go_on_in_.reset();
  }
  const bool reasons = std::holds_alternative<llm::Reasoning>(event.body) ||
                       std::holds_alternative<llm::ReasoningSeal>(event.body);
  const bool unsaid = std::holds_alternative<llm::Start>(event.body) ||
                      std::holds_alternative<llm::Other>(event.body) ||
                      std::holds_alternative<llm::Undecodable>(event.body) || (reasons && goes_on);
  if (unsaid) {
    return;
  }
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.block; }) {
          body.block = place_of(body.block);
        }
      },
      written.body);
  if (auto* usage = std::get_if<llm::Usage>(&written.body)) {
    *usage = of_the_answer(*usage);
  }
  if (holds(event)) {
    keep(written);
    return;
  }
  see(written);
  due_.add(written);
}

}  // namespace understudy
