#include "joining.hpp"

#include <string>
#include <utility>

#include "folding.hpp"
#include "understudy/client/resume_request.hpp"

namespace understudy::detail {

llm::Request going_on(const llm::Request& request, std::string_view text, bool prefilled) {
  auto asked = request;
  asked.body.clear();  // it has other words now
  if (prefilled) {
    asked.messages.emplace_back(llm::Role::assistant,
                                std::string(text.substr(0, white_suffix(text))));
    return asked;
  }
  auto words = resume_request(text).message;
  const bool users = !asked.messages.empty() && asked.messages.back().role == llm::Role::user;
  if (users) {  // two messages of the user in a row are refused by some
    asked.messages.back().parts.emplace_back(llm::TextPart(std::move(words)));
  } else {
    asked.messages.emplace_back(llm::Role::user, std::move(words));
  }
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
    if (seam_.refused() && (!after_call_ || answer.complete)) {
      co_return Failure(
          FailoverReason::resume_mismatch,
          "did not resume where the answer broke: " + std::string(to_string(seam_.verdict())));
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
    after_call_ = after_call_ && white_prefix(text->text) == text->text.size();
    say(seam_.feed(text->text), held);
    return;
  }
  const bool calls = std::holds_alternative<llm::ToolStart>(event.body);
  if (calls && after_call_) {
    called_ = true;
  } else if (calls || std::holds_alternative<llm::Finish>(event.body)) {
    say(seam_.finish(), held);
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
