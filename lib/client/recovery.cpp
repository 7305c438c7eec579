#include "understudy/client/recovery.hpp"

#include <algorithm>
#include <utility>

#include "folding.hpp"

namespace understudy {
namespace {

std::optional<std::uint64_t> both(const std::optional<std::uint64_t>& a,
                                  const std::optional<std::uint64_t>& b) {
  return a || b ? std::optional(a.value_or(0) + b.value_or(0)) : std::nullopt;
}

llm::Usage sum(const llm::Usage& a, const llm::Usage& b) {
  llm::Usage all;
  all.input = both(a.input, b.input);
  all.cache_read = both(a.cache_read, b.cache_read);
  all.cache_write = both(a.cache_write, b.cache_write);
  all.output = both(a.output, b.output);
  all.reasoning = both(a.reasoning, b.reasoning);
  return all;
}

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
  const bool alive = std::holds_alternative<llm::Heartbeat>(event.body);
  if (from_) {
    rewrite(event);
    return false;
  }
  if (std::holds_alternative<llm::ToolStart>(event.body) || (!open_calls_.empty() && !alive)) {
    keep(event);
    return false;
  }
  see(event);
  return true;
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
  if (complete_call_.name() || text_.size() > most_kept) {
    return Rung::give_up;
  }
  return detail::white_prefix(text_) == text_.size() ? Rung::anew : Rung::go_on;
}

void Recovery::goes_on(Rung rung) {
  from_ = rung;
  go_on_in_ = rung == Rung::go_on ? open_text_ : std::nullopt;
  earlier_ = usage_;
  kept_.clear();
  due_.clear();
  open_calls_.clear();
  places_.clear();
  next_place_ = 0;
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
    *usage = sum(earlier_, *usage);
  }
  const bool alive = std::holds_alternative<llm::Heartbeat>(event.body);
  if (std::holds_alternative<llm::ToolStart>(event.body) || (!open_calls_.empty() && !alive)) {
    keep(written);
    return;
  }
  see(written);
  due_.add(written);
}

}  // namespace understudy
