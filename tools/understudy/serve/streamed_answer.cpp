#include "streamed_answer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <utility>

#include "error_answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::tool {
namespace {

constexpr std::size_t longest_why = 512;
constexpr std::string_view comment = ": keep-alive\n\n";

/// What may stand in a header's value: ASCII, and not for ever.
std::string for_header(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, longest_why)) {
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

}  // namespace

void add_report(HttpFields& headers, const CallReport& report) {
  if (const auto* const answer = report.answer()) {
    headers.add("x-understudy-member", for_header(answer->member.name()));
  }
  headers.add("x-understudy-attempts", std::to_string(report.attempts.size()));
  headers.add("x-understudy-why", for_header(report.why()));
}

asio::awaitable<void> StreamedAnswer::run(Client& client, Scope& scope,
                                          const RequestOptions& options, Request request) {
  encoder_ = codec_for(exchange_.protocol()).encoder(request);
  Timer timer(scope.get_executor());
  std::optional<Delivery> answer;
  std::optional<Failure> failure;
  // A write must not be cut short: so the one who keeps the client waiting ends by himself.
  auto ask = [&](Scope& asking) -> asio::awaitable<void> {
    auto waiting = [&] { return keep_alive(timer); };
    asking.spawn(std::move(waiting));
    answer.emplace(co_await client.stream(std::move(request), options));
    const auto ready = co_await answer->ready();
    if (ready.has_error()) {
      failure = ready.error();
    }
    committed_ = true;
    timer.cancel();
    co_await asking.join();
  };
  co_await with_scope(scope, std::move(ask));
  if (failure) {
    co_await fail(*failure, answer->report());
    co_return;
  }
  const bool begun = co_await begin(&answer->report());
  if (begun) {
    co_await write(*answer);
  }
}

asio::awaitable<void> StreamedAnswer::keep_alive(Timer& timer) {
  while (!committed_ && !broken_) {
    timer.expires_after(server_.keep_alive);
    co_await timer.async_wait(asio::as_tuple(asio::deferred));
    if (committed_) {
      co_return;
    }
    const bool begun = co_await begin(nullptr);
    if (begun) {
      const auto unwritten = co_await exchange_.http().write(comment);
      broken_ = unwritten.failed();
    }
  }
}

/// The head, if it was not sent yet. False: the client's connection is dead.
asio::awaitable<bool> StreamedAnswer::begin(const CallReport* report) {
  if (!exchange_.http().begun() && !broken_) {
    HttpFields headers;
    headers.add("content-type", "text/event-stream; charset=utf-8");
    headers.add("cache-control", "no-cache");
    if (report != nullptr) {
      add_report(headers, *report);
    }
    const auto unwritten = co_await exchange_.begin(200, headers);
    broken_ = unwritten.failed();
  }
  co_return !broken_;
}

asio::awaitable<void> StreamedAnswer::fail(const Failure& failure, const CallReport& report) {
  if (broken_) {
    co_return;
  }
  if (!exchange_.http().begun()) {
    auto failed = error_answer(failure, exchange_.protocol());
    add_report(failed.headers, report);
    co_await exchange_.respond(failed.status, failed.headers, failed.body);
    co_return;
  }
  const auto error = stream_error(failure, exchange_.protocol());
  std::string out;
  encoder_->write(Event(Error(error.type, error.code, error.message)), out);
  const auto unwritten = co_await exchange_.http().write(out);
  if (!unwritten) {
    co_await exchange_.http().finish();
  }
}

asio::awaitable<void> StreamedAnswer::write(Delivery& answer) {
  const bool same = answer.protocol() == exchange_.protocol() && !answer.whole();
  std::string out;
  std::optional<Clock::time_point> last;
  while (true) {
    while (const Event* event = answer.try_next()) {
      if (same && !answer.resumed()) {
        pass(*event, event->model, out);
        encoder_->follow(*event);  // so that it knows what is open, should it have to end it
      } else {
        encoder_->write(*event, out);
      }
    }
    if (!out.empty()) {
      const auto now = Clock::now();
      if (last) {
        longest_gap_ = std::max(now - *last, longest_gap_.value_or(Clock::duration::zero()));
      }
      last = now;
      const auto unwritten = co_await exchange_.http().write(out);
      out.clear();
      if (unwritten) {
        co_return;
      }
    }
    const auto more = co_await answer.ready();
    if (more.has_error()) {
      co_await fail(more.error(), answer.report());
      co_return;
    }
    if (!*more) {
      break;
    }
  }
  if (server_.report) {
    out = ": understudy: " + for_header(answer.report().why()) + "\n\n";
    co_await exchange_.http().write(out);
  }
  const auto unfinished = co_await exchange_.http().finish();
  broke_ = unfinished.failed();
}

}  // namespace understudy::tool
