// What only many connections show: how fast the next attempt is under way after a stall, alone and when
// a thousand stall at once, and what ten thousand idle streams cost.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "../harness.hpp"
#include "provider_process.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/http_provider.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using testing::Fault;
using testing::Reply;

using Milliseconds = std::chrono::duration<double, std::milli>;

Url loopback(std::uint16_t port) {
  return parse_url("http://127.0.0.1:" + std::to_string(port)).value();
}

HttpClientOptions many_connections() {
  return HttpClientOptions().with_max_connections(50'000).with_max_idle(50'000);
}

Request question() {
  Request request("m");
  request.messages.emplace_back(Role::user, "Is the north tank full?");
  request.max_tokens = 100;
  return request;
}

/// Calls side by side on one thread.
class Calls {
 public:
  explicit Calls(asio::io_context& context) : context_(context) {}

  void start(awaitable<void> call) {
    ++running_;
    asio::co_spawn(context_, std::move(call), [this](const std::exception_ptr& error) {
      --running_;
      if (error) {
        std::rethrow_exception(error);
      }
    });
  }

  /// Until all have ended: kept connections would keep the context running.
  void join() {
    while (running_ > 0) {
      context_.run_one();
    }
  }

 private:
  asio::io_context& context_;
  std::size_t running_ = 0;
};

double percentile(std::vector<double>& sample, double share) {
  std::sort(sample.begin(), sample.end());
  return sample.empty()
             ? 0
             : sample[static_cast<std::size_t>(share * static_cast<double>(sample.size() - 1))];
}

/// A sick member, whose stream says nothing but heartbeats, and a well one.
class Pair {
 public:
  Pair(HttpClient& client, const ProviderProcess& process)
      : sick(client,
             HttpProviderOptions("sick", Protocol::anthropic_messages, loopback(process.ports[0]))),
        well(client, HttpProviderOptions("well", Protocol::anthropic_messages,
                                         loopback(process.ports[1]))) {}

  /// How long after the limit the next attempt's request was written; the limit alone: `warm`.
  awaitable<void> call(bool warm, std::vector<double>* late) {
    State state;  // one each: what one call learns would keep the next from the sick member
    Policy policy;
    policy.with_stall(StallSettings().with_first_progress(limit).with_stale(60s));
    Chain chain;
    if (!warm) {
      chain.emplace_back("sick", "m");
    }
    chain.emplace_back("well", "m");
    const auto request = question();
    auto open = [&](Attempt& attempt) {
      return (attempt.member().provider() == "sick" ? sick : well).open(request, attempt);
    };
    auto outcome = co_await failover(chain, policy, state, std::move(open));
    auto answer = co_await read_answer(outcome.result.value());
    answer.value();
    if (late != nullptr) {
      const auto& report = outcome.report;
      const auto& first = report.attempts.at(0);
      const auto& second = report.attempts.at(1);
      const auto of = [](const AttemptReport& attempt, Phase phase) {
        return attempt.in_phase[static_cast<std::size_t>(phase)];
      };
      const auto due = first.began + of(first, Phase::connect) + of(first, Phase::write) + limit;
      const auto out = second.began + of(second, Phase::pool_wait) + of(second, Phase::connect) +
                       of(second, Phase::write);
      late->push_back(Milliseconds(out - due).count());
    }
  }

  static constexpr Clock::duration limit = 400ms;
  HttpProvider sick;
  HttpProvider well;
};

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

bool takeover() {
  const ProviderProcess process({Reply::answer().after(0, Fault::silence(50ms)), Reply::answer()});
  raise_descriptor_limit();
  std::printf("\na stall's expiry to the next attempt's request written, on an open connection\n");
  bool reached = true;
  for (const std::size_t at_once : {1U, 1000U}) {
    asio::io_context context(1);
    HttpClient client(context.get_executor(), many_connections());
    Pair pair(client, process);
    Calls calls(context);
    std::vector<double> late;
    for (std::size_t i = 0; i < at_once; ++i) {
      calls.start(pair.call(true, nullptr));
    }
    calls.join();
    const int rounds = at_once == 1 ? 50 : 5;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < at_once; ++i) {
        calls.start(pair.call(false, &late));
      }
      calls.join();
    }
    std::printf("  %zu at once, %zu in all: median %.2f ms, p99 %.2f ms\n", at_once, late.size(),
                percentile(late, 0.5), percentile(late, 0.99));
    const auto title = std::to_string(at_once) + " at once, p99";
    reached = reach(title.c_str(), percentile(late, 0.99), at_once == 1 ? 1 : 30, "ms") && reached;
  }
  return reached;
}

bool idle_streams() {
  const ProviderProcess process({Reply::answer().after(2, Fault::silence())});
  const auto descriptors = raise_descriptor_limit();
  const auto wanted = std::min<std::uint64_t>(10'000, descriptors - 100);
  std::printf("\n%llu idle streams, guarded, one thread (descriptors: at most %llu)\n",
              static_cast<unsigned long long>(wanted),
              static_cast<unsigned long long>(descriptors));
  asio::io_context context(1);
  HttpClient client(context.get_executor(), many_connections());
  HttpProvider provider(client, HttpProviderOptions("idle", Protocol::anthropic_messages,
                                                    loopback(process.ports[0])));
  State state;
  const Chain chain{Member("idle", "m")};
  const auto request = question();
  std::vector<double> late;
  std::uint64_t opened = 0;
  const auto before = resident_bytes();
  std::uint64_t after = 0;
  const auto start = Clock::now();
  constexpr auto until_all_are_open = 20s;
  // Each stream stalls at a time of its own, spread over 2 s.
  const auto stream = [&](std::uint64_t number) -> awaitable<void> {
    const auto due = start + until_all_are_open + number * 2s / wanted;
    Policy policy;
    policy.with_stall(StallSettings().with_stale(due - Clock::now()).with_first_progress(60s));
    auto open = [&](Attempt& attempt) { return provider.open(request, attempt); };
    auto outcome = co_await failover(chain, policy, state, std::move(open));
    auto idle = std::move(outcome.result.value());
    const auto limit = *policy.stall.stale;
    if (++opened == wanted) {
      after = resident_bytes();
    }
    while (idle.try_next() != nullptr) {
    }
    const auto waits = Clock::now();
    const auto ended = co_await idle.ready();
    if (ended.has_value() || ended.error().code() != FailoverReason::timeout) {
      std::printf("  not a stall: %s\n", ended ? "an answer" : to_string(ended.error()).c_str());
      std::exit(1);
    }
    late.push_back(Milliseconds(Clock::now() - waits - limit).count());
  };
  // A hundred at a time, so that the listener's queue is never full.
  Calls calls(context);
  const auto all = [&]() -> awaitable<void> {
    for (std::uint64_t i = 0; i < wanted; ++i) {
      calls.start(stream(i));
      while (i + 1 - opened >= 100) {
        co_await sleep_for(1ms);
      }
    }
  };
  calls.start(all());
  calls.join();
  std::printf("  all open after the start; expiries over 2 s: median %.2f ms late\n",
              percentile(late, 0.5));
  bool reached =
      reach("memory of each stream, resident",
            static_cast<double>(after - before) / static_cast<double>(wanted) / 1024, 12, "KiB");
  reached =
      reach("expiry to the consumer's failure, p99", percentile(late, 0.99), 20, "ms") && reached;
  return reached;
}

}  // namespace bench
