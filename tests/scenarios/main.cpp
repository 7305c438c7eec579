// The scenarios of scenarios.md over real sockets, with the gateway as a process of its own:
//
//     scenarios PROGRAM [--quick] [--slack=N] [NAME...]
//
// PROGRAM: understudy. --quick: those that take under 5 s. --slack=4: margins of upper bounds four times as wide,
// for builds that are slow (sanitizers). Exit code 1: one did not pass.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

#include "scenario.hpp"
#include "understudy/runtime/scope.hpp"

namespace scenarios {
namespace {

using Setup = Scenario::Setup;

class Options {
 public:
  Options() {}

  std::string program;
  bool quick = false;
  double slack = 1;
  std::vector<std::string> names;
};

std::optional<Options> options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument.starts_with("--slack=")) {
      options.slack = std::atof(argument.c_str() + std::strlen("--slack="));
    } else if (options.program.empty() && !argument.starts_with("--")) {
      options.program = argument;
    } else if (!argument.starts_with("--")) {
      options.names.push_back(argument);
    } else {
      return std::nullopt;
    }
  }
  return options.program.empty() || options.slack < 1 ? std::nullopt : std::optional(options);
}

std::vector<Scenario> chosen(const Options& options) {
  std::vector<Scenario> all = failover_bench();
  for (auto part : {ours(), crowds()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::erase_if(all, [&](const Scenario& one) {
    const auto& names = options.names;
    const bool named = std::find(names.begin(), names.end(), one.id) != names.end();
    return (options.quick && !one.quick()) || (!names.empty() && !named);
  });
  return all;
}

std::string configuration(Setup setup, const Wall& wall) {
  const auto* const name = setup == Setup::failover_bench ? "failover_bench"
                           : setup == Setup::defaults     ? "defaults"
                                                          : "ours";
  std::ifstream file(std::string(UNDERSTUDY_SCENARIOS) + "/" + name + ".toml");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) {
    throw std::runtime_error(std::string("cannot read ") + name + ".toml");
  }
  const auto fill = [&](std::string_view place, std::uint16_t port) {
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
      text.replace(at, place.size(), std::to_string(port));
    }
  };
  fill("{{wall}}", wall.port());
  fill("{{deaf}}", wall.deaf_port());
  return text;
}

/// All of it, from the gateways' start to their end.
class Theatre {
 public:
  explicit Theatre(const Options& options)
      : options_(options), scenarios_(chosen(options)), wall_(context_.get_executor()) {
    wall_.server.reply_to("alive", Reply::answer("alive and well"));
    for (const auto& scenario : scenarios_) {
      rows_.emplace_back(std::string(scenario.id), std::string(scenario.what), options.slack,
                         punctuality_);
      auto& gateway = gateways_[scenario.setup];
      if (!gateway) {
        gateway =
            std::make_unique<GatewayProcess>(options.program, configuration(scenario.setup, wall_));
      }
    }
  }

  /// Exit code.
  int run() {
    asio::co_spawn(context_, play_all(), [](const std::exception_ptr& error) {
      if (error) {
        std::rethrow_exception(error);
      }
    });
    context_.run();
    bool well = true;
    for (auto& [setup, gateway] : gateways_) {
      const auto status = gateway->stop();
      if (status != 0) {
        well = false;
        std::printf("a gateway ended with %d:\n%s\n", status, gateway->log().c_str());
      }
    }
    print(rows_);
    const auto late = punctuality_.worst_since(Clock::time_point());
    std::printf("the machine was up to %lld ms late\n", static_cast<long long>(late / 1ms));
    return count() && well ? 0 : 1;
  }

 private:
  awaitable<void> play_all() {
    auto serving = [&](Scope& serving_scope) -> awaitable<void> {
      auto wall = [&] { return wall_.serve(); };
      auto clock = [&] { return punctuality_.watch(); };
      serving_scope.spawn(std::move(wall));
      serving_scope.spawn(std::move(clock));
      HttpClient http(context_.get_executor(), HttpClientOptions().with_max_connections(4096));
      auto playing = [&](Scope& scope) { return play(scope, http); };
      co_await with_scope(std::move(playing));
      http.close();
      serving_scope.cancel(StopReason::shutdown);
    };
    co_await with_scope(std::move(serving));
  }

  /// Side by side; crowds one after the other, when only those are left that take very long.
  awaitable<void> play(Scope& scope, HttpClient& http) {
    auto together = [&](Scope& shorter) -> awaitable<void> {
      for (std::size_t i = 0; i < scenarios_.size(); ++i) {
        if (!scenarios_[i].alone()) {
          auto one = [this, &http, i] { return play_one(http, i); };
          (scenarios_[i].length == Scenario::Length::very_long ? scope : shorter)
              .spawn(std::move(one));
        }
      }
      co_await shorter.join();
    };
    co_await with_scope(std::move(together));
    for (std::size_t i = 0; i < scenarios_.size(); ++i) {
      if (scenarios_[i].alone()) {
        co_await play_one(http, i);
      }
    }
    co_await scope.join();
  }

  awaitable<void> play_one(HttpClient& http, std::size_t i) {
    auto& row = rows_[i];
    Stage stage(wall_, http, *gateways_.at(scenarios_[i].setup), row.id);
    row.began = Clock::now();
    std::string thrown;
    try {
      co_await scenarios_[i].run(stage, row);
    } catch (const std::exception& error) {
      thrown = error.what();
    }
    row.require(thrown.empty(), "threw: " + thrown);
    auto question = Question("alive", Protocol::openai_chat).whole().within(10s);
    const auto alive = co_await stage.ask(std::move(question));
    row.require(alive.complete() && alive.answer.text() == "alive and well",
                "the gateway is not alive afterwards");
  }

  bool count() const {
    std::map<Verdict, std::size_t> counts;
    for (const auto& row : rows_) {
      ++counts[row.verdict];
    }
    std::printf("%zu pass, %zu partial, %zu safe, %zu fail\n", counts[Verdict::pass],
                counts[Verdict::partial], counts[Verdict::safe], counts[Verdict::fail]);
    return counts[Verdict::pass] == rows_.size();
  }

  const Options& options_;
  std::vector<Scenario> scenarios_;
  asio::io_context context_{1};
  Wall wall_;
  Punctuality punctuality_;
  std::map<Setup, std::unique_ptr<GatewayProcess>> gateways_;
  std::vector<Row> rows_;
};

}  // namespace
}  // namespace scenarios

int main(int argc, char** argv) {
  const auto options = scenarios::options_of(argc, argv);
  if (!options) {
    std::fprintf(stderr, "usage: scenarios PROGRAM [--quick] [--slack=N] [NAME...]\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  scenarios::allow_many_descriptors();  // thousands of connections, on both sides of us
  try {
    return scenarios::Theatre(*options).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scenarios: %s\n", error.what());
    return 1;
  }
}
