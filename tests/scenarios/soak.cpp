// A gateway in service: thousands of streams, providers that fail at random, clients that vanish, and a new
// configuration every few seconds; then a drain. Nothing may be lost or doubled, and nothing may grow.
//
//     soak PROGRAM [SECONDS] [STREAMS] [SEED] [METRICS]
//
// METRICS is written: the gateway's own, amid it all. A caller asks, reads its answer, and asks again. What the
// answer must be follows from the question, so that words of another answer in it are seen.
#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include "gateway_process.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/scripted_resolver.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;
using scenarios::GatewayProcess;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;

namespace {

constexpr std::size_t words = 30;
constexpr Clock::duration between_words = 200ms;  // about five events a second
constexpr unsigned models = 40;                   // a sick member rests; its neighbours do not
constexpr Clock::duration warm_up = 12s;  // two answers of each stream: then all is as it stays
constexpr double growth = 1.1;            // of memory and descriptors, at most

struct Options {
  std::string program;
  std::chrono::seconds length{20};
  std::size_t streams = 2'000;
  unsigned seed = 1;
  std::string metrics_file;

  Clock::duration reload_every() const { return length > 60s ? 10s : 4s; }
};

constexpr std::size_t least_complete = 99;  // of a hundred answers that broke midway
constexpr std::string_view quote_begins = "<answer>";

/// The answer of a provider to that question, in its own words, from one of them on.
std::string answer_to(std::size_t question, char provider, std::size_t from = 0) {
  std::string text;
  for (std::size_t i = from; i < words; ++i) {
    text += (i == 0 ? "" : " ") + (provider + std::to_string(question)) + "." + std::to_string(i);
  }
  return text;
}

/// Whether the text has every word of an answer to that question, once and in order, whosever words they are.
bool answers(const std::string& text, std::size_t question) {
  std::istringstream said(text);
  std::string word;
  std::size_t i = 0;
  while (said >> word) {
    const auto wanted = std::to_string(question) + "." + std::to_string(i++);
    if (word.empty() || word.substr(1) != wanted) {
      return false;
    }
  }
  return i == words;
}

/// What of an answer is quoted in the request to resume it; the words are plain, so that JSON leaves them as they are.
std::string quoted_in(std::string_view body) {
  const auto begin = body.find(quote_begins);
  if (begin == std::string_view::npos) {
    return {};
  }
  const auto text = body.substr(begin + quote_begins.size());
  return std::string(text.substr(0, text.find("</answer>")));
}

/// Two providers, each of which fails one in ten requests in one of the ways there are.
class Providers {
 public:
  Providers(const asio::any_io_executor& executor, unsigned seed) : random_(seed) {
    char words_of = 'v';
    for (auto& one : all_) {
      one.port.emplace(executor, asio::ip::address_v4::loopback(), std::uint16_t{0});
      for (unsigned i = 0; i < models; ++i) {
        one.server.reply_to("m" + std::to_string(i),
                            [this, words_of](const testing::SeenRequest& request) {
                              return reply(request, words_of);
                            });
      }
      ++words_of;
    }
  }

  void serve(Scope& scope) {
    for (auto& one : all_) {
      auto serving = [&one] { return one.server.serve(*one.port); };
      scope.spawn(std::move(serving));
    }
  }

  void close() {
    for (auto& one : all_) {
      one.port->close();
    }
  }

  std::size_t requests() const { return all_[0].server.requests() + all_[1].server.requests(); }
  std::size_t open() const {
    return all_[0].server.open_connections() + all_[1].server.open_connections();
  }

  /// With another limit each time it is asked for.
  std::string configuration() {
    std::ostringstream out;
    out << "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"error\"\n"
        << "[retry]\nbackoff_base = \"50ms\"\nbackoff_cap = \"200ms\"\n"
        << "[stall]\nfirst_progress = \"1s\"\nlast_member = \"3s\"\nstale = \""
        << 2 + versions_++ % 2 << "s\"\n";
    for (std::size_t i = 0; i < all_.size(); ++i) {
      out << "[providers.p" << i << "]\nprotocol = \""
          << (i == 0 ? "openai_chat" : "anthropic_messages")
          << "\"\nbase_url = \"http://127.0.0.1:" << all_[i].port->port() << "/v1\"\n";
    }
    for (unsigned i = 0; i < models; ++i) {
      out << "[[routes]]\nmodel = \"m" << i << "\"\nchain = [{provider = \"p0\", model = \"m" << i
          << "\"}, {provider = \"p1\", model = \"m" << i << "\"}]\n";
    }
    return out.str();
  }

  std::size_t asked_to_resume() const { return asked_to_resume_; }
  std::size_t disobedient() const { return disobedient_; }

  /// From now on every request is answered.
  void recover() { well_ = true; }

 private:
  struct One {
    FaultServer server;
    std::optional<TcpAcceptor> port;
  };

  /// How a provider resumes an answer. It says something else each 25th time, counted and not drawn: these are excused,
  /// so how many there are must not depend on luck. Of the others, in a hundred: it repeats the end that it is asked
  /// for, and continues in its own words (60); or it repeats the answer from its beginning, and continues (40).
  std::string resumed(std::size_t question, char provider, const std::string& quoted) {
    ++asked_to_resume_;
    const auto draw = std::uniform_int_distribution<unsigned>(0, 99)(random_);
    // The last word may be cut anywhere.
    const auto last = quoted.rfind(' ') == std::string::npos ? 0 : quoted.rfind(' ') + 1;
    const auto point = quoted.rfind('.');
    const bool numbered = point != std::string::npos && point > last && point + 1 < quoted.size();
    const auto n = static_cast<std::size_t>(std::count(quoted.begin(), quoted.end(), ' '));
    const auto number = std::to_string(question) + "." + std::to_string(n);
    const auto word = quoted.substr(last);
    const auto whole = (word.empty() ? std::string(1, provider) : word.substr(0, 1)) + number;
    const bool ends_within = !numbered || word != whole;
    const auto continued = (ends_within ? whole.substr(word.size()) : std::string()) +
                           answer_to(question, provider, n + 1);
    if (asked_to_resume_ % 25 == 0) {
      ++disobedient_;
      return "Certainly! Here is the rest: " + continued;
    }
    if (draw < 60) {
      const auto back = quoted.size() - std::min<std::size_t>(quoted.size(), 40);
      const auto space = back == 0 ? 0 : quoted.find(' ', back);
      return (space == 0 || space == std::string::npos ? quoted : quoted.substr(space + 1)) +
             continued;
    }
    return quoted + continued;
  }

  Reply reply(const testing::SeenRequest& request, char provider) {
    const auto at = request.body.find("question ");
    const auto question = at == std::string::npos ? 0 : std::stoul(request.body.substr(at + 9));
    const auto quoted = quoted_in(request.body);
    const auto text =
        quoted.empty() ? answer_to(question, provider) : resumed(question, provider, quoted);
    auto answer = Reply::answer(text).dripping(between_words);
    const auto chance = well_ ? 99U : std::uniform_int_distribution<unsigned>(0, 99)(random_);
    switch (chance) {
      case 0: return Reply::status(529, "overloaded", "overloaded_error");
      case 1: return Reply::status(429, "slow down").with_header("retry-after", "1");
      case 2: return Reply::status(500, "oh");
      case 3:
      case 4: return std::move(answer.after(1, Fault::silence(200ms)));
      case 5: return std::move(answer.before_head(Fault::silence()));
      case 6: return std::move(answer.after(12, Fault::truncated_chunk()));
      case 7: return std::move(answer.after(15, Fault::silence(200ms)));
      case 8: return std::move(answer.after(9, Fault::reset()));
      case 9: return std::move(answer.after(7, Fault::error("overloaded_error", "overloaded")));
      default: return answer;
    }
  }

  std::array<One, 2> all_;
  std::mt19937 random_;
  std::size_t asked_to_resume_ = 0;
  std::size_t disobedient_ = 0;
  unsigned versions_ = 0;
  bool well_ = false;
};

/// What became of the questions.
struct Counts {
  std::size_t asked = 0;
  std::size_t complete = 0;
  std::size_t wrong = 0;     // complete, as was said, and other than it should be
  std::size_t broken = 0;    // with an error, in the stream
  std::size_t refused = 0;   // with a status
  std::size_t vanished = 0;  // by the caller
  std::size_t unheard = 0;   // no answer at all: never
};

/// The callers, all on one thread.
class Callers {
 public:
  Callers(const asio::any_io_executor& executor, std::uint16_t port, unsigned seed)
      : there_(Scheme::http, "127.0.0.1", port),
        http_(executor, HttpClientOptions().with_max_connections(20'000).with_max_idle(20'000)),
        random_(seed) {}

  /// Asks until `over`.
  awaitable<void> ask_on() {
    while (!over) {
      const auto well = co_await ask();
      if (!well) {
        co_await sleep_for(200ms);  // as a client backs off
      }
    }
  }

  /// One question. False: it was refused.
  awaitable<bool> ask() {
    const auto question = ++counts.asked;
    const auto vanishes = std::uniform_int_distribution<std::size_t>(0, 19)(random_) == 0 && !stays;
    HttpRequest request("POST", "/v1/chat/completions");
    request.with_header("content-type", "application/json")
        .with_body(R"({"model":"m)" + std::to_string(question % models) +
                   R"(","stream":true,"messages":[{"role":"user","content":"question )" +
                   std::to_string(question) + "\"}]}");
    IgnoreIo nobody;
    auto response = co_await http_.send(there_, request, nobody);
    if (response.has_error()) {
      ++counts.unheard;
      co_return false;
    }
    if (response->status() != 200) {
      ++counts.refused;
      co_await response->read_all(1 << 16);
      co_return false;
    }
    EventDecoder decoder(Protocol::openai_chat, BodyShape::stream);
    Answer answer;
    ++speaking;
    std::size_t parts = 0;
    while (true) {
      const auto part = co_await response->read();
      if (part.has_error() || part->empty()) {
        break;
      }
      decoder.feed(*part);
      while (const Event* event = decoder.next()) {
        answer.add(*event);
      }
      if (vanishes && ++parts == 5) {
        ++counts.vanished;
        --speaking;
        co_return true;
      }
    }
    decoder.end();
    while (const Event* event = decoder.next()) {
      answer.add(*event);
    }
    --speaking;
    if (decoder.ending() == Ending::complete) {
      ++counts.complete;
      counts.wrong += answers(answer.text(), question) ? 0 : 1;
    } else {
      ++counts.broken;
    }
    co_return true;
  }

  awaitable<std::string> metrics() {
    IgnoreIo nobody;
    auto response = co_await http_.send(there_, HttpRequest("GET", "/metrics"), nobody);
    if (response.has_error()) {
      co_return std::string();
    }
    const auto body = co_await response->read_all(1 << 24);
    co_return body ? *body : std::string();
  }

  void close() { http_.close(); }

  Counts counts;
  std::size_t speaking = 0;  // answers that have begun and not ended
  bool over = false;
  bool stays = false;  // nobody vanishes any more

 private:
  Endpoint there_;
  HttpClient http_;
  std::mt19937 random_;
};

/// Of a metric, over all its labels that contain `with`.
std::size_t sum(const std::string& metrics, const std::string& name, std::string_view with = "") {
  std::istringstream lines(metrics);
  std::string line;
  double all = 0;
  while (std::getline(lines, line)) {
    const bool named = line.starts_with(name + "{") || line.starts_with(name + " ");
    if (named && line.find(with) != std::string::npos) {
      all += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
  }
  return static_cast<std::size_t>(all);
}

/// What has to hold; says what does not.
class Verdict {
 public:
  void holds(bool well, const std::string& what) {
    if (!well) {
      std::cout << "FAILED: " << what << "\n";
      failed = true;
    }
  }
  void equal(std::size_t a, std::size_t b, const std::string& what) {
    holds(a == b, what + ": " + std::to_string(a) + " and " + std::to_string(b));
  }
  void grows_little(std::size_t before, std::size_t after, const std::string& what) {
    holds(static_cast<double>(after) <= growth * static_cast<double>(before),
          what + " grew from " + std::to_string(before) + " to " + std::to_string(after));
  }

  bool failed = false;
};

struct Sample {
  explicit Sample(const GatewayProcess& gateway)
      : memory(gateway.memory()), descriptors(gateway.descriptors()) {}
  std::size_t memory;
  std::size_t descriptors;
};

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options),
        providers_(context_.get_executor(), options.seed),
        gateway_(options.program, providers_.configuration()),
        callers_(context_.get_executor(), gateway_.port(), options.seed + 1) {}

  bool run() {
    auto all = [this](Scope& scope) -> awaitable<void> {
      providers_.serve(scope);
      co_await go();
      scope.cancel(StopReason::lost);
    };
    asio::co_spawn(context_, with_scope(std::move(all)), [](const std::exception_ptr& error) {
      if (error) {
        std::rethrow_exception(error);
      }
    });
    try {
      context_.run();
    } catch (const boost::system::system_error& ended) {
      if (ended.code() != StopReason::lost) {
        throw;
      }
    }
    const auto log = gateway_.log();
    verdict_.holds(log.find("outlived") == std::string::npos, "children outlived their scopes");
    if (verdict_.failed) {
      std::cout << log << "\n";
    }
    return !verdict_.failed;
  }

 private:
  awaitable<void> go() {
    co_await many();
    co_await drained();
    callers_.close();
    providers_.close();
  }

  /// Thousands of streams for the time asked for.
  awaitable<void> many() {
    std::optional<Sample> quarter;
    std::optional<Sample> end;
    auto streams = [&](Scope& scope) -> awaitable<void> {
      for (std::size_t i = 0; i < options_.streams; ++i) {
        auto caller = [this] { return callers_.ask_on(); };
        scope.spawn(std::move(caller));
        if (i % 20 == 19) {
          co_await sleep_for(10ms);
        }
      }
      co_await sleep_for(warm_up);
      const auto began = Clock::now();
      auto next_reload = began + options_.reload_every();
      while (Clock::now() < began + options_.length) {
        co_await sleep_for(250ms);
        most_at_once_ = std::max(most_at_once_, callers_.speaking);
        if (!quarter && Clock::now() >= began + options_.length / 4) {
          quarter.emplace(gateway_);
        }
        if (Clock::now() >= next_reload) {
          next_reload += options_.reload_every();
          ++reloads_;
          gateway_.reload(providers_.configuration());
        }
      }
      end.emplace(gateway_);
      if (!options_.metrics_file.empty()) {
        const auto text = co_await callers_.metrics();
        std::ofstream(options_.metrics_file) << text;
      }
      callers_.over = true;
    };
    co_await with_scope(std::move(streams));
    const auto metrics = co_await callers_.metrics();
    print(*quarter, *end, metrics);
    judge(*quarter, *end, metrics);
  }

  void judge(const Sample& quarter, const Sample& end, const std::string& metrics) {
    const auto& counts = callers_.counts;
    verdict_.equal(counts.wrong, 0, "answers that were called complete and were not right");
    verdict_.equal(counts.unheard, 0, "questions without any answer");
    const auto midway = sum(metrics, "understudy_broken_answers_total");
    const auto excused = providers_.disobedient();
    verdict_.holds(midway > 0, "answers broke midway");
    verdict_.holds(
        counts.broken <= excused + midway * (100 - least_complete) / 100,
        "99 of 100 answers that broke midway are complete: " + std::to_string(counts.broken) +
            " of " + std::to_string(midway) + " are not");
    verdict_.holds(counts.complete * 2 > counts.asked, "most questions are answered");
    verdict_.holds(most_at_once_ * 10 >= options_.streams * 9, "the streams were there at once");
    verdict_.grows_little(quarter.memory, end.memory, "memory in KiB");
    verdict_.grows_little(quarter.descriptors, end.descriptors, "descriptors");
    verdict_.equal(sum(metrics, "understudy_requests_total"), counts.asked,
                   "requests by the metrics, and questions");
    verdict_.equal(sum(metrics, "understudy_attempts_total"), providers_.requests(),
                   "attempts by the metrics, and requests that the providers saw");
    verdict_.equal(sum(metrics, "understudy_requests_in_flight"), 0, "calls under way at the end");
    verdict_.equal(sum(metrics, "understudy_config_reloads_total", "applied"), reloads_,
                   "configurations by the metrics, and those that were written");
  }

  void print(const Sample& quarter, const Sample& end, const std::string& metrics) const {
    const auto& c = callers_.counts;
    std::cout << sum(metrics, "understudy_broken_answers_total") << " answers broke midway; "
              << providers_.asked_to_resume() << " requests to resume one, "
              << providers_.disobedient() << " of them answered with something else\n"
              << c.asked << " questions, " << most_at_once_ << " at once: " << c.complete
              << " complete (" << c.wrong << " of them wrong), " << c.broken << " broken off, "
              << c.refused << " refused, " << c.vanished << " by clients that vanished\n"
              << providers_.requests() << " requests to providers, "
              << sum(metrics, "understudy_failovers_total") << " failovers, "
              << sum(metrics, "understudy_stall_kills_total") << " stalls ended, "
              << sum(metrics, "understudy_attempts_total", "kind=\"probe\"") << " probes, "
              << sum(metrics, "understudy_bytes_after_cancel_total") << " bytes after cancel, "
              << reloads_ << " reloads\n"
              << "memory " << quarter.memory << " KiB after a quarter, " << end.memory
              << " at the end; descriptors " << quarter.descriptors << ", " << end.descriptors
              << "\n";
  }

  /// A drain amid streams: each of them ends in peace.
  awaitable<void> drained() {
    providers_.recover();
    callers_.stays = true;
    const auto before = callers_.counts;
    const std::size_t wanted = std::min<std::size_t>(options_.streams, 200);
    auto streams = [&](Scope& scope) -> awaitable<void> {
      for (std::size_t i = 0; i < wanted; ++i) {
        auto caller = [this]() -> awaitable<void> { co_await callers_.ask(); };
        scope.spawn(std::move(caller));
      }
      while (callers_.speaking + callers_.counts.refused - before.refused < wanted) {
        co_await sleep_for(20ms);
      }
      gateway_.drain();
    };
    co_await with_scope(std::move(streams));
    const auto& after = callers_.counts;
    const auto refused = after.refused - before.refused;  // where a member still rests
    const auto complete = after.complete - before.complete;
    std::cout << "drained amid " << wanted - refused << " streams: " << complete << " complete\n";
    verdict_.equal(complete + refused, wanted,
                   "streams that a drain let end, and those that there were");
    verdict_.equal(after.wrong, before.wrong, "wrong answers after a drain, and before");
    callers_.close();
    verdict_.equal(static_cast<std::size_t>(gateway_.drained()), 0, "exit status");
    co_await sleep_for(100ms);  // until what it has closed is seen here
    verdict_.equal(providers_.open(), 0, "connections that are left at the providers");
  }

  Options options_;
  asio::io_context context_{1};
  Providers providers_;
  GatewayProcess gateway_;
  Callers callers_;
  Verdict verdict_;
  std::size_t most_at_once_ = 0;
  std::size_t reloads_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: soak PROGRAM [SECONDS] [STREAMS] [SEED] [METRICS]\n";
    return 2;
  }
  Options options;
  options.program = argv[1];
  const auto number = [&](int at, std::size_t otherwise) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise;
  };
  options.length = std::chrono::seconds(number(2, 20));
  options.streams = number(3, 2'000);
  options.seed = static_cast<unsigned>(number(4, 1));
  options.metrics_file = argc > 5 ? argv[5] : "";
  if (const auto most = scenarios::allow_many_descriptors(); most < 3 * options.streams + 100) {
    std::cerr << "may open " << most << " descriptors at most\n";
    return 77;
  }
  return Soak(options).run() ? 0 : 1;
}
