#include "streamed_answer.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "answer_bytes.hpp"
#include "error_answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::gateway::detail {
namespace {

constexpr std::size_t longest_why = 512;
constexpr std::size_t longest_comment = 4096;

/// Text as a header's value or a comment: printable ASCII of bounded length.
std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  for (const char c : text.substr(0, longest)) {
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

std::string for_header(std::string_view text) { return printable(text, longest_why); }

std::vector<std::string> losses_of(const AttemptReport& attempt) {
  std::vector<std::string> losses;
  losses.reserve(attempt.losses.size());
  for (const auto& loss : attempt.losses) {
    losses.push_back(std::string(loss.effect).append(" ").append(loss.what));
  }
  return losses;
}

/// As many losses as fit, in one line. `left`, if it is given, becomes the number of those that do not.
std::string line_of(const std::vector<std::string>& losses, std::size_t longest,
                    std::size_t* left = nullptr) {
  std::string text;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (text.size() + losses[i].size() + 8 > longest) {
      if (left != nullptr) {
        *left = losses.size() - i;
      }
      return text.append(text.empty() ? "..." : ", ...");
    }
    text.append(text.empty() ? "" : ", ").append(losses[i]);
  }
  return text;
}

}  // namespace

void add_report(HttpFields& headers, const CallReport& report) {
  if (const auto* const answer = report.answer()) {
    headers.add("x-understudy-member", for_header(answer->member.name()));
    for (const auto& [name, value] : answer->headers) {
      headers.add(name, value);
    }
    if (!answer->request_id.empty()) {
      headers.add("x-understudy-provider-request-id", for_header(answer->request_id));
    }
    if (const auto losses = line_of(losses_of(*answer), longest_why); !losses.empty()) {
      headers.add("x-understudy-losses", for_header(losses));
    }
  }
  headers.add("x-understudy-attempts", std::to_string(report.attempts.size()));
  headers.add("x-understudy-why", for_header(report.why()));
}

asio::awaitable<void> StreamedAnswer::run(Client& client, Scope& scope,
                                          const RequestOptions& options, llm::Request request) {
  encoder_ = llm::codec_for(exchange_.protocol()).encoder(request);
  seals_.emplace(request, config_.reasoning.carry == ReasoningConfig::Carry::client);
  Timer next_comment(scope.get_executor());
  Timer comment_done(scope.get_executor());
  next_comment_ = &next_comment;
  comment_done_ = &comment_done;
  // A write must not be cut short, so keep_alive() is not cancelled: it ends by itself.
  auto answer_it = [&](Scope& asking) -> asio::awaitable<void> {
    auto waiting = [this] { return keep_alive(); };
    asking.spawn(std::move(waiting));
    auto answer = co_await client.stream(std::move(request), options);
    const auto ready = co_await answer.ready();
    co_await quiet();
    if (ready.has_error()) {
      co_await fail(ready.error(), answer.report());
    } else {
      const bool begun = co_await begin(&answer.report());
      if (begun) {
        co_await write(answer);
      }
    }
    done_ = true;
    next_comment.cancel();
    co_await asking.join();
  };
  co_await with_scope(scope, std::move(answer_it));
}

/// Writes a heartbeat whenever nothing was written for `server.keep_alive`, as the encoder has it: a comment, or an
/// event where the protocol has one and it can stand there. Some clients' own timers count events alone (Codex: 300 s).
/// Between its encoding and its writing no other event is encoded and written, so that their numbers are in order.
asio::awaitable<void> StreamedAnswer::keep_alive() {
  said_at_ = Clock::now();
  while (!done_ && !broken_) {
    next_comment_->expires_at(said_at_ + config_.server.keep_alive);
    co_await next_comment_->async_wait(asio::as_tuple(asio::deferred));
    if (done_ || broken_) {
      co_return;
    }
    const bool withheld = call_.waits && !exchange_.begun();
    if (speaking_ || withheld) {
      // Either the client does not read, and has enough to read; or the status is still open, since an answer that has
      // begun could only end in an error that SDKs do not retry.
      said_at_ = Clock::now();
    } else if (Clock::now() >= said_at_ + config_.server.keep_alive) {
      commenting_ = true;
      std::string heartbeat;
      encoder_->write(llm::Event(llm::Heartbeat()), heartbeat);
      const bool begun = co_await begin(nullptr);
      if (begun && !heartbeat.empty()) {
        const auto unwritten = co_await exchange_.write(heartbeat);
        broken_ = unwritten.failed();
      }
      commenting_ = false;
      said_at_ = Clock::now();
      comment_done_->cancel();
    }
  }
}

/// Completes when no comment is being written.
asio::awaitable<void> StreamedAnswer::quiet() {
  while (commenting_) {
    comment_done_->expires_at(Clock::time_point::max());
    co_await comment_done_->async_wait(asio::as_tuple(asio::deferred));
  }
}

/// Writes whole frames. False: the client's connection is dead.
asio::awaitable<bool> StreamedAnswer::say(std::string_view frames) {
  speaking_ = true;  // also while it waits: these frames were encoded before any later heartbeat
  if (commenting_) {
    co_await quiet();
  }
  if (!broken_) {
    const auto unwritten = co_await exchange_.write(frames);
    broken_ = unwritten.failed();
    said_at_ = Clock::now();
  }
  speaking_ = false;
  co_return !broken_;
}

/// Sends the head unless it was sent. False: the client's connection is dead.
asio::awaitable<bool> StreamedAnswer::begin(const CallReport* report) {
  if (!exchange_.begun() && !broken_) {
    HttpFields headers;
    headers.add("content-type", "text/event-stream; charset=utf-8");
    headers.add("cache-control", "no-cache");
    if (report != nullptr) {
      add_report(headers, *report);
      const auto* const answering = report->answer();
      told_ = answering == nullptr ? std::vector<std::string>() : losses_of(*answering);
      std::size_t left = 0;
      line_of(told_, longest_why, &left);
      told_.resize(told_.size() - left);
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
  if (!exchange_.begun()) {
    auto failed = error_answer(failure, exchange_.protocol());
    add_report(failed.headers, report);
    done_ = true;
    co_await exchange_.respond(failed.status, failed.headers, failed.body);
    co_return;
  }
  const auto error = stream_error(failure, exchange_.protocol());
  std::string out;
  encoder_->write(llm::Event(llm::Error(error.type, error.code, error.message)), out);
  const bool said = co_await say(out);
  if (said) {
    done_ = true;  // no comment while the end has to wait
    co_await exchange_.finish();
  }
}

/// Adds to `lost` what the answering member did not get, unless the headers or `lost` say it.
void StreamedAnswer::note_losses(const CallReport& report, std::vector<std::string>& lost) const {
  const auto* const answering = report.answer();
  if (answering == nullptr) {
    return;
  }
  std::set<std::string_view> known(told_.begin(), told_.end());
  known.insert(lost.begin(), lost.end());
  std::vector<std::string> fresh;
  for (auto& loss : losses_of(*answering)) {
    if (known.count(loss) == 0) {
      fresh.push_back(std::move(loss));
    }
  }
  lost.insert(lost.end(), std::make_move_iterator(fresh.begin()),
              std::make_move_iterator(fresh.end()));
}

asio::awaitable<void> StreamedAnswer::write(Delivery& answer) {
  AnswerBytes bytes(answer, exchange_.protocol(), std::move(*seals_), *encoder_);
  std::string out;
  std::optional<Clock::time_point> last;
  bool ended = false;
  std::vector<std::string> lost;
  note_losses(answer.report(), lost);
  while (true) {
    while (const llm::Event* event = answer.try_next()) {
      ended = ended || std::holds_alternative<llm::End>(event->body);
      bytes.append(*event, out);
    }
    if (!out.empty()) {
      const auto now = Clock::now();
      if (last) {
        longest_gap_ = std::max(now - *last, longest_gap_.value_or(Clock::duration::zero()));
      }
      last = now;
      const bool said = co_await say(out);
      out.clear();
      if (!said) {
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
  if (!ended) {  // complete, but the client's protocol requires a terminal
    encoder_->write(llm::Event(llm::End()), out);
  }
  note_losses(answer.report(), lost);
  if (!lost.empty()) {
    out += ": understudy-losses: " + printable(line_of(lost, longest_comment), longest_comment) +
           "\n\n";
  }
  if (config_.server.report) {
    out += ": understudy: " + for_header(answer.report().why()) + "\n\n";
  }
  if (!out.empty()) {
    co_await say(out);
  }
  co_await quiet();
  done_ = true;  // no comment while the end has to wait
  const auto unfinished = co_await exchange_.finish();
  broke_ = unfinished.failed();
}

}  // namespace understudy::gateway::detail
