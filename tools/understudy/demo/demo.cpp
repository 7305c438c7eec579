// `understudy demo`: what this program is for, without a key and without a network.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <iostream>
#include <memory>
#include <random>

#include "../command.hpp"
#include "../run_until_stopped.hpp"
#include "../terminal.hpp"
#include "comparison.hpp"
#include "play.hpp"
#include "scenario.hpp"
#include "timeline.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

struct DemoOptions {
  std::string scenario = "heartbeat-stall";
  std::uint64_t seed = 1;
  bool list = false;
  bool all = false;
  bool json = false;
};

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, text.size()), ' ');
  return out;
}

void write_json(const Scenario& scenario, const Played& played) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const auto complaint = played.complaint(scenario);
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("scenario", scenario.name)
      .member("as_it_should", complaint.empty())
      .member("complaint", complaint)
      .member("ending", to_string(played.ending))
      .member("text", played.text)
      .member("taken_back", played.retracts)
      .member("first_token_ms", Milliseconds(played.first_token).count())
      .member("took_ms", Milliseconds(played.took).count());
  json.key("report").raw(played.report.to_json()).end_object();
  std::cout << out << "\n";
}

int list() {
  for (const auto& scenario : scenarios()) {
    std::cout << padded(scenario.name, 21) << scenario.shows << "\n";
  }
  return done;
}

int one(const Scenario& scenario, std::uint64_t seed, bool json) {
  auto out = Terminal::standard_output();
  Played played;
  Audience nobody;
  Timeline timeline(out);
  if (!json) {
    out.line(std::string(scenario.name) + ": " + std::string(scenario.shows), Colour::bold);
    out.line("");
  }
  auto run = [&] {
    return play(scenario, seed, json ? nobody : static_cast<Audience&>(timeline), played);
  };
  if (!run_until_stopped(std::move(run))) {
    return interrupted;
  }
  const auto complaint = played.complaint(scenario);
  if (json) {
    write_json(scenario, played);
    return complaint.empty() ? done : failed;
  }
  out.line("");
  if (scenario.name == scenarios().front().name) {
    out.line(
        "The same incident in virtual time, with the default limits and 60,000 prompt tokens:");
    out.line("  " + compare().in_one_line(), Colour::bold);
  }
  if (!complaint.empty()) {
    out.line("FAILED: " + complaint, Colour::red);
  }
  return complaint.empty() ? done : failed;
}

/// All side by side: each has providers and a client of its own.
int play_all(std::uint64_t seed, bool json) {
  const auto plays = scenarios();
  std::deque<Played> played(plays.size());
  Audience nobody;
  auto run = [&]() -> asio::awaitable<void> {
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      for (std::size_t i = 0; i < plays.size(); ++i) {
        auto one_of_them = [&, i] { return play(plays[i], seed, nobody, played[i]); };
        scope.spawn(std::move(one_of_them));
      }
      co_await scope.join();
    };
    co_await with_scope(std::move(body));
  };
  if (!run_until_stopped(std::move(run))) {
    return interrupted;
  }
  auto out = Terminal::standard_output();
  bool as_it_should = true;
  for (std::size_t i = 0; i < plays.size(); ++i) {
    const auto complaint = played[i].complaint(plays[i]);
    as_it_should = as_it_should && complaint.empty();
    if (json) {
      write_json(plays[i], played[i]);
      continue;
    }
    out.line((complaint.empty() ? "ok   " : "NOT  ") + padded(plays[i].name, 21) +
                 padded(to_string(played[i].ending), 24) + spoken(played[i].took) + "  " +
                 std::to_string(played[i].report.attempts.size()) + " attempts" +
                 (complaint.empty() ? "" : "  " + complaint),
             complaint.empty() ? Colour::plain : Colour::red);
  }
  return as_it_should ? done : failed;
}

int demo(const DemoOptions& options) {
  if (options.list) {
    return list();
  }
  if (options.all) {
    return play_all(options.seed, options.json);
  }
  return one(*find_scenario(options.scenario), options.seed, options.json);
}

}  // namespace

Command demo_command(CLI::App& program) {
  auto options = std::make_shared<DemoOptions>();
  auto* const app = program.add_subcommand(
      "demo",
      "Shows a failover: simulated providers in this process, on loopback, over real HTTP.\n"
      "Exit code 1: a scenario did not end as expected; 130: interrupted.");
  std::vector<std::string> names;
  for (const auto& scenario : scenarios()) {
    names.emplace_back(scenario.name);
  }
  auto* const name = app->add_option("--scenario", options->scenario, "The scenario to run")
                         ->capture_default_str()
                         ->check(CLI::IsMember(names));
  auto* const every =
      app->add_flag("--all", options->all, "Runs all scenarios concurrently and prints a table");
  app->add_flag("--list", options->list, "Lists the scenarios")->excludes(name)->excludes(every);
  every->excludes(name);
  app->add_option("--seed", options->seed, "The seed of the jitter in retries")
      ->capture_default_str();
  app->add_flag("--json", options->json, "Prints one JSON object per scenario");
  return {app, [options] { return demo(*options); }};
}

}  // namespace understudy::tool
