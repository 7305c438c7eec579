// What it costs to go on with an answer that was cut: the seam by itself, and over loopback from the cut to the
// next token that is delivered.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "../harness.hpp"
#include "understudy/client/client.hpp"
#include "understudy/client/seam.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

namespace {

using namespace understudy;
using asio::awaitable;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;

constexpr int calls = 100;
constexpr std::size_t token = 5;  // bytes

/// Words that do not repeat themselves.
std::string prose(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    text += "word" + std::to_string(i * 7919 % 100'003) + ((i % 9) == 8 ? ". " : " ");
  }
  return text;
}

template <class Take>
void in_tokens(std::string_view text, Take take) {
  for (std::size_t at = 0; at < text.size(); at += token) {
    take(text.substr(at, token));
  }
}

std::uint64_t sink = 0;

/// Until the new text has joined `delivered`, by what it says again.
void join(const std::string& delivered, std::string_view again) {
  Seam seam(delivered, ResumeManner::anchored);
  in_tokens(again, [&](std::string_view piece) { sink += seam.feed(piece).size(); });
  sink += seam.finish().size() + (seam.joined() ? 1 : 0);
}

/// What is often done: the new answer is taken for the old one again, and its beginning cut off unseen.
void cut_off(const std::string& delivered, std::string_view again) {
  std::size_t said = 0;
  in_tokens(again, [&](std::string_view piece) {
    const auto skipped =
        std::min(piece.size(), delivered.size() - std::min(said, delivered.size()));
    said += piece.size();
    sink += piece.size() - skipped;
  });
}

void seams() {
  for (const std::size_t kib : {4, 64}) {
    const auto delivered = prose(kib * 1024);
    const auto tail = std::string_view(delivered).substr(delivered.size() - 40);
    std::vector<bench::Way> ways;
    const auto each = [&](std::uint64_t n, auto what) {
      for (std::uint64_t i = 0; i < n; ++i) {
        what();
      }
    };
    ways.push_back({"a new answer, its beginning cut off unseen",
                    [&](std::uint64_t n) { each(n, [&] { cut_off(delivered, delivered); }); },
                    50,
                    {}});
    ways.push_back({"seam: the answer said again from its beginning",
                    [&](std::uint64_t n) { each(n, [&] { join(delivered, delivered); }); },
                    50,
                    {}});
    ways.push_back({"seam: its last 40 characters said again",
                    [&](std::uint64_t n) { each(n, [&] { join(delivered, tail); }); },
                    50,
                    {}});
    bench::measure(ways);
    for (auto& way : ways) {
      way.figures.nanoseconds /= static_cast<double>(kib);
    }
    char title[80];
    std::snprintf(title, sizeof title, "An answer of %zu KiB was cut: ns for each KiB delivered",
                  kib);
    bench::print(title, ways);
  }
  const std::string delivered = prose(4096);
  Seam seam(delivered, ResumeManner::anchored);
  sink += seam.feed(std::string_view(delivered).substr(delivered.size() - 40)).size();
  std::vector<bench::Way> after;
  after.push_back({"feed, once it has joined",
                   [&](std::uint64_t n) {
                     for (std::uint64_t i = 0; i < n; ++i) {
                       sink += seam.feed(" more").size();
                     }
                   },
                   100'000,
                   {}});
  bench::measure(after);
  bench::print("Each event after the seam", after);
}

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

struct Times {
  std::vector<double> first_token;  // of the one who goes on, asked by itself
  std::vector<double> gap;          // between the last token before the cut and the next
};

Config config(std::uint16_t first, std::uint16_t second, const std::string& head) {
  const auto provider = [](const char* name, std::uint16_t port) {
    return std::string("[providers.") + name +
           "]\nprotocol = \"openai_chat\"\nbase_url = \"http://127.0.0.1:" + std::to_string(port) +
           "/v1\"\n";
  };
  return parse_config(head + provider("lead", first) + provider("next", second), "bench.toml",
                      [](const char*) -> const char* { return nullptr; })
      .value();
}

/// From asking to the first text; of the whole answer the longest wait between two texts.
awaitable<std::pair<double, double>> ask(const Config& configured) {
  Client client(co_await asio::this_coro::executor, configured,
                ClientState::make(configured).value());
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, "Go on.");
  const auto began = Clock::now();
  auto answer = co_await client.stream(std::move(request));
  Clock::time_point last = began;
  double first = 0;
  double longest = 0;
  while (const llm::Event* event = co_await answer.next()) {
    if (std::holds_alternative<llm::Text>(event->body)) {
      const auto now = Clock::now();
      (first == 0 ? first : longest) =
          first == 0 ? milliseconds(now - began) : std::max(longest, milliseconds(now - last));
      last = now;
    }
  }
  co_await client.close();
  co_return std::pair(first, longest);
}

double at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void over_loopback() {
  const auto text = prose(2048);
  asio::io_context context(1);
  TcpAcceptor first(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  TcpAcceptor second(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  FaultServer lead;
  FaultServer next;
  lead.reply(Reply::answer(text).after(100, Fault::close()));
  next.reply(Reply::answer(text));
  const auto alone =
      config(first.port(), second.port(), "[model]\nprovider = \"next\"\ndefault = \"m\"\n");
  const auto chain =
      config(first.port(), second.port(),
             "[model]\nprovider = \"lead\"\ndefault = \"m\"\n[[fallback_providers]]\n"
             "provider = \"next\"\nmodel = \"m\"\n[fallback]\non_partial = \"resume\"\n");
  Times times;
  auto all = [&]() -> awaitable<void> {
    for (int i = 0; i < calls; ++i) {
      const auto direct = co_await ask(alone);
      const auto rescued = co_await ask(chain);
      times.first_token.push_back(direct.first);
      times.gap.push_back(rescued.second);
    }
    first.close();
    second.close();
  };
  for (auto* const one : {&lead, &next}) {
    auto& port = one == &lead ? first : second;
    asio::co_spawn(context, one->serve(port), [](const std::exception_ptr&) {});
  }
  asio::co_spawn(context, std::move(all), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  std::printf("\nCut after 100 words over loopback, %d times: ms\n  %-58s %9s %9s\n", calls, "",
              "median", "p99");
  const auto line = [](const char* what, const std::vector<double>& values) {
    std::printf("  %-58s %9.2f %9.2f\n", what, at(values, 0.5), at(values, 0.99));
  };
  line("the one who goes on, asked by itself, to its first token", times.first_token);
  line("from the last token before the cut to the next delivered", times.gap);
  std::printf(
      "  beyond its own first token: %.2f ms in the median, with the 100 words said again\n",
      at(times.gap, 0.5) - at(times.first_token, 0.5));
}

}  // namespace

int main() {
  seams();
  over_loopback();
  return sink == 0 ? 1 : 0;
}
