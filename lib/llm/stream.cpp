#include "understudy/llm/stream.hpp"

#include <utility>

namespace understudy::llm {

const ReasoningOrigin& StreamSource::origin() const noexcept {
  static const ReasoningOrigin unknown;
  return unknown;
}

asio::awaitable<Result<Answer>> read_answer(Stream& stream, AnswerFold* fold, StreamMend* mend) {
  Answer answer;
  while (true) {
    const auto more = co_await stream.ready();
    if (more.has_error()) {
      co_return more.error();
    }
    if (!*more) {
      break;
    }
    while (const Event* event = stream.try_next()) {
      answer.add(*event);
      if (fold != nullptr) {
        fold->feed(mend == nullptr ? event->raw : mend->bytes(*event));
      }
    }
    if (fold != nullptr && fold->failed()) {  // the rest would not make it whole
      break;
    }
  }
  answer.protocol = stream.protocol();
  answer.origin = stream.origin();
  if (fold != nullptr) {
    auto json = fold->finish(answer);
    if (json.has_error()) {
      co_return json.error();
    }
    answer.provider_json = std::move(*json);
  }
  co_return answer;
}

}  // namespace understudy::llm
