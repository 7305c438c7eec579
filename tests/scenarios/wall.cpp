#include "wall.hpp"

#include <algorithm>

#include "understudy/llm/codec.hpp"
#include "understudy/runtime/race.hpp"

namespace scenarios {
namespace {

/// The text of the last message, if it is the assistant's and begins the wall's own.
std::optional<std::string> prefill_of(const SeenRequest& request) {
  const auto read = codec_for(Protocol::openai_chat).read_request(request.body);
  if (read.has_error() || read->messages.empty() || read->messages.back().role != Role::assistant) {
    return std::nullopt;
  }
  std::string text;
  for (const auto& part : read->messages.back().parts) {
    if (const auto* said = std::get_if<TextPart>(&part)) {
      text += said->text;
    }
  }
  return !text.empty() && sixty_words.starts_with(text) ? std::optional(text) : std::nullopt;
}

constexpr int smallest_receive_buffer = 4096;

}  // namespace

const std::string sixty_words =
    "The north tank is full, the south tank is half empty, and the pump between them has been "
    "running since Tuesday without a pause, which nobody noticed, because the gauge that should "
    "have told us so was read by a program that waited for a number, politely and for ever, while "
    "water went on rising quietly in the cold dark.";

const std::string own_rest = " and the rest of it, as I would put it, is dry.";

std::string resumed_after(std::size_t words) {
  std::size_t end = 0;
  for (; words > 0; --words) {
    end = sixty_words.find(' ', end + 1);
  }
  return sixty_words.substr(0, end) + own_rest;
}

Reply healthy() { return Reply::answer(sixty_words).dripping(word_gap); }

std::optional<Clock::time_point> WallAttempt::closed() const noexcept {
  using End = SeenConnection::End;
  const bool by_client =
      connection->end == End::client_closed || connection->end == End::client_reset;
  return last_on_connection && by_client ? std::optional(connection->ended) : std::nullopt;
}

Wall::Wall(const asio::any_io_executor& executor)
    : port_(executor, asio::ip::address_v4::loopback(), 0),
      deaf_port_(executor, asio::ip::address_v4::loopback(), 0, smallest_receive_buffer) {
  server.reply(healthy());
  deaf.greet(testing::Greeting::unread());
}

awaitable<void> Wall::serve() {
  auto talking = [this] { return server.serve(port_); };
  auto silent = [this] { return deaf.serve(deaf_port_); };
  co_await race(std::move(talking), std::move(silent));
}

std::vector<WallAttempt> Wall::attempts(const std::string& model) const {
  std::vector<WallAttempt> all;
  for (const auto& connection : server.connections()) {
    for (const auto& request : connection.requests) {
      if (request.model == model) {
        all.emplace_back(connection, request, &request == &connection.requests.back());
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.at() < b.at(); });
  return all;
}

void Wall::answer_in_own_words(const std::string& model) {
  server.reply_to(model, [](const SeenRequest& request) {
    constexpr std::string_view begins = "<answer>";
    constexpr std::size_t repeated = 40;
    const auto at = request.body.find(begins);
    if (at == std::string::npos) {
      return Reply::answer("In my own words:" + own_rest).dripping(word_gap);
    }
    const auto from = at + begins.size();
    const auto quoted = request.body.substr(from, request.body.find("</answer>", from) - from);
    const auto back = quoted.size() - std::min(quoted.size(), repeated);
    return Reply::answer(quoted.substr(quoted.find(' ', back) + 1) + own_rest).dripping(word_gap);
  });
}

void Wall::refuse_prefill(const std::string& model) {
  server.reply_to(model, [this](const SeenRequest& request) {
    if (!prefill_of(request)) {
      return healthy();
    }
    ++prefill_refusals;
    return Reply::status(400, "the last message must be the user's", "invalid_request_error",
                         "invalid_prefill");
  });
}

}  // namespace scenarios
