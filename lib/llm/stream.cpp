#include "understudy/llm/stream.hpp"

namespace understudy::llm {

asio::awaitable<Result<Answer>> read_answer(Stream& stream) {
  Answer answer;
  while (true) {
    const auto more = co_await stream.ready();
    if (more.has_error()) {
      co_return more.error();
    }
    if (!*more) {
      co_return answer;
    }
    while (const Event* event = stream.try_next()) {
      answer.add(*event);
    }
  }
}

}  // namespace understudy::llm
