#include "joining.hpp"

#include <array>
#include <string>
#include <utility>

#include "folding.hpp"
#include "understudy/client/resume_request.hpp"

namespace understudy::detail {

std::span<const ResumeManner> resume_manners(bool prefill) {
  static constexpr std::array manners{ResumeManner::prefilled_trimmed, ResumeManner::anchored,
                                      ResumeManner::from_start};
  return std::span(manners).subspan(prefill ? 0 : 1);
}

std::string_view mend_name(ResumeManner manner) noexcept {
  switch (manner) {
    case ResumeManner::anchored: return "resume:repeat the tail";
    case ResumeManner::prefilled:
    case ResumeManner::prefilled_trimmed: return "resume:continue the prefill";
    case ResumeManner::from_start: return "resume:start over";
  }
  return {};
}

llm::Request resuming(const llm::Request& request, std::string_view text, ResumeManner manner) {
  auto asked = request;
  switch (manner) {
    case ResumeManner::from_start: return asked;
    case ResumeManner::prefilled:
    case ResumeManner::prefilled_trimmed:
      asked.messages.emplace_back(llm::Role::assistant,
                                  std::string(text.substr(0, white_suffix(text))));
      break;
    case ResumeManner::anchored:
      asked.messages.emplace_back(llm::Role::user, resume_request(text).message);
      break;
  }
  ++asked.added_messages;
  return asked;
}

asio::awaitable<Result<void>> Joining::read(Committed& answer) {
  while (true) {
    const auto more = co_await answer.stream.ready();
    if (more.has_error()) {
      co_return more.error();
    }
    while (const llm::Event* event = answer.stream.try_next()) {
      take(*event, answer.held);
    }
    answer.complete = !*more;
    if (answer.complete && !joined()) {
      say(seam_.finish(), answer.held);
    }
    if (joined()) {
      co_return Result<void>();
    }
    if (refused_ || (seam_.refused() && (!after_call_ || answer.complete))) {
      const auto verdict = refused_ ? SeamVerdict::ended_early : seam_.verdict();
      co_return Failure(FailoverReason::resume_mismatch, "did not resume where the answer broke: " +
                                                             std::string(to_string(verdict)));
    }
  }
}

void Joining::take(const llm::Event& event, HeldEvents& held) {
  if (joined()) {
    held.add(event);
    return;
  }
  if (const auto* text = std::get_if<llm::Text>(&event.body)) {
    block_ = text->block;
    said_ = said_ || white_prefix(text->text) < text->text.size();
    after_call_ = after_call_ && !said_;
    say(seam_.feed(text->text), held);
    return;
  }
  const bool calls = std::holds_alternative<llm::ToolStart>(event.body);
  const bool finishes = std::holds_alternative<llm::Finish>(event.body);
  if (calls && after_call_) {
    called_ = true;
  } else if (finishes || (calls && said_)) {
    say(seam_.finish(), held);
  } else if (calls) {  // without a word: it has left out the rest of the text
    refused_ = true;
  }
  if (joined() || std::holds_alternative<llm::Usage>(event.body)) {
    held.add(event);
  }
}

void Joining::say(std::string_view text, HeldEvents& held) const {
  if (!text.empty()) {
    held.add(llm::Event(llm::Text(block_, text)));
  }
}

}  // namespace understudy::detail
