// What only many connections show: how fast the next attempt is under way after a stall, alone and when
// a thousand stall at once, and what ten thousand idle streams cost.
#include <malloc.h>
#include <netinet/in.h>
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
#include <thread>
#include <vector>

#include "../harness.hpp"
#include "many_streams.hpp"
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

void must(bool fine) {
  if (!fine) {
    std::perror("bench_net");
    std::exit(1);
  }
}

HttpClientOptions many_connections() {
  return HttpClientOptions().with_max_connections(50'000).with_max_idle(50'000);
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
      : sick(client, llm::HttpProviderOptions("sick", llm::Protocol::anthropic_messages,
                                              loopback(process.ports[0]))),
        well(client, llm::HttpProviderOptions("well", llm::Protocol::anthropic_messages,
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
    auto answer = co_await llm::read_answer(outcome.result.value());
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
  llm::HttpProvider sick;
  llm::HttpProvider well;
};

class Sockets {
 public:
  Sockets(std::uint16_t port, std::size_t n) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(::socket(AF_INET, SOCK_STREAM, 0));
      must(::connect(all[i], reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0);
    }
  }
  ~Sockets() {
    for (const int socket : all) {
      ::close(socket);
    }
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  std::vector<int> all;
};

/// Prints what the kernel alone takes for it: as many abortive closes, each with a request on another open
/// connection after it. On loopback that is the peer's half of TCP too.
void kernels_part(const ProviderProcess& process, std::size_t at_once) {
  const std::string request =
      "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 95\r\n\r\n"
      R"({"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Is the north tank full?"}]})";
  Sockets sick(process.ports[0], at_once);
  const Sockets well(process.ports[1], at_once);
  std::this_thread::sleep_for(300ms);  // until they are accepted
  const linger abortive{1, 0};
  const auto began = Clock::now();
  const auto worked_before = thread_clock();
  for (std::size_t i = 0; i < at_once; ++i) {
    must(::setsockopt(sick.all[i], SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive) == 0);
    must(::close(sick.all[i]) == 0);
    must(::send(well.all[i], request.data(), request.size(), MSG_NOSIGNAL) > 0);
  }
  std::printf("  the kernel alone, for %zu closes and sends: %.2f ms (CPU: %.2f ms)\n", at_once,
              Milliseconds(Clock::now() - began).count(),
              (thread_clock() - worked_before) / 1'000'000);
  sick.all.clear();
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Url loopback(std::uint16_t port, bool secure) {
  return parse_url((secure ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port))
      .value();
}

llm::Request question() {
  llm::Request request("m");
  request.messages.emplace_back(llm::Role::user, "Is the north tank full?");
  request.max_tokens = 100;
  return request;
}

namespace {

/// The p99, in ms, of `rounds` times `at_once` calls whose sick member is as told.
double takeover_of(std::size_t at_once, int rounds, const char* what, const Reply& sick) {
  const ProviderProcess process({sick, Reply::answer()});
  asio::io_context context(1);
  HttpClient client(context.get_executor(), many_connections());
  Pair pair(client, process);
  Calls calls(context);
  std::vector<double> late;
  for (std::size_t i = 0; i < at_once; ++i) {
    calls.start(pair.call(true, nullptr));
  }
  calls.join();
  const auto worked_before = thread_clock();
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < at_once; ++i) {
      calls.start(pair.call(false, &late));
    }
    calls.join();
  }
  const auto worked = (thread_clock() - worked_before) / static_cast<double>(late.size()) / 1000;
  std::printf("  %s, %zu at once, %zu in all: median %.2f ms, p99 %.2f ms\n", what, at_once,
              late.size(), percentile(late, 0.5), percentile(late, 0.99));
  std::printf("  a call from its beginning to its end: %.0f us of the client's CPU\n", worked);
  if (at_once > 1) {
    kernels_part(process, at_once);
  }
  return percentile(late, 0.99);
}

}  // namespace

bool takeover() {
  raise_descriptor_limit();
  std::printf("\na stall's expiry to the next attempt's request written, on an open connection\n");
  const auto heartbeats = [](Clock::duration gap) {
    return Reply::answer().after(0, Fault::silence(gap));
  };
  const auto one = takeover_of(1, 50, "heartbeats every 50 ms", heartbeats(50ms));
  const bool alone = reach("alone, p99", one, 1, "ms");
  const auto many = takeover_of(1000, 5, "heartbeats every 150 ms", heartbeats(150ms));
  const bool together = reach("1,000 at once, p99", many, 30, "ms");
  takeover_of(1000, 5, "not even a head", Reply::answer().before_head(Fault::silence()));
  // 20,000 a second, and a burst of them at each expiry.
  takeover_of(1000, 5, "heartbeats every 50 ms", heartbeats(50ms));
  return alone && together;
}

namespace {

/// KiB each, and how late their consumers were told, in ms.
struct Idle {
  double memory = 0;
  std::vector<double> late;
};

/// `wanted` streams that are open and say nothing, and stall at times of their own, spread over 2 s.
Idle idle(std::uint64_t wanted, const testing::TestCertificates* certificates) {
  const ProviderProcess process({Reply::answer().after(2, Fault::silence())}, certificates);
  asio::io_context context(1);
  auto options = many_connections();
  if (certificates != nullptr) {
    options.with_ca_file(certificates->ca_file());
  }
  HttpClient client(context.get_executor(), options);
  llm::HttpProvider provider(
      client, llm::HttpProviderOptions("idle", llm::Protocol::anthropic_messages,
                                       loopback(process.ports[0], certificates != nullptr)));
  State state;
  const Chain chain{Member("idle", "m")};
  const auto request = question();
  Idle measured;
  std::uint64_t opened = 0;
  ::malloc_trim(0);  // what an earlier round has left free
  const auto before = resident_bytes();
  std::uint64_t after = 0;
  const auto start = Clock::now();
  constexpr auto until_all_are_open = 20s;
  const auto stream = [&](std::uint64_t number) -> awaitable<void> {
    const auto due = start + until_all_are_open + Clock::duration(2s) / wanted * number;
    Policy policy;
    policy.with_stall(StallSettings().with_stale(due - Clock::now()).with_first_progress(60s));
    auto open = [&](Attempt& attempt) { return provider.open(request, attempt); };
    auto outcome = co_await failover(chain, policy, state, std::move(open));
    auto opened_stream = std::move(outcome.result.value());
    const auto limit = *policy.stall.stale;
    if (++opened == wanted) {
      after = resident_bytes();
    }
    while (opened_stream.try_next() != nullptr) {
    }
    const auto waits = Clock::now();
    const auto ended = co_await opened_stream.ready();
    if (ended.has_value() || ended.error().code() != FailoverReason::timeout) {
      std::printf("  not a stall: %s\n", ended ? "an answer" : to_string(ended.error()).c_str());
      std::exit(1);
    }
    measured.late.push_back(Milliseconds(Clock::now() - waits - limit).count());
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
  measured.memory = static_cast<double>(after - before) / static_cast<double>(wanted) / 1024;
  return measured;
}

}  // namespace

bool idle_streams() {
  const auto descriptors = raise_descriptor_limit();
  const auto wanted = std::min<std::uint64_t>(10'000, descriptors - 100);
  std::printf("\n%llu idle streams, guarded, one thread (descriptors: at most %llu)\n",
              static_cast<unsigned long long>(wanted),
              static_cast<unsigned long long>(descriptors));
  auto plain = idle(wanted, nullptr);
  std::printf("  all open after the start; expiries over 2 s: median %.2f ms late\n",
              percentile(plain.late, 0.5));
  bool reached = reach("memory of each stream, resident", plain.memory, 12, "KiB");
  reached =
      reach("expiry to the consumer's failure, p99", percentile(plain.late, 0.99), 20, "ms") &&
      reached;
  const testing::TestCertificates certificates;
  const auto secure = idle(wanted / 10, &certificates);
  std::printf("  memory of each over TLS (a tenth as many): %.1f KiB, of which OpenSSL's %.1f\n",
              secure.memory, secure.memory - plain.memory);
  return reached;
}

}  // namespace bench
