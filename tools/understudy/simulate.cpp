// `understudy simulate`: random incidents in virtual time.
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <thread>

#include "command.hpp"
#include "understudy/json_writer.hpp"
#include "understudy/testing/simulation.hpp"

namespace understudy::tool {
namespace {

struct Options {
  std::uint64_t seeds = 1'000;
  std::uint64_t seed = 1;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  bool trace = false;
  bool json = false;
};

void print_json(const testing::SimulationResult& result, double seconds) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("schedules", result.schedules)
      .member("median_calls", result.median_calls)
      .member("most_calls", result.most_calls)
      .member("calls", result.calls)
      .member("answered", result.answered)
      .member("failed", result.failed)
      .member("cancelled", result.cancelled)
      .member("attempts", result.attempts)
      .member("probes", result.probes)
      .member("seconds", seconds);
  json.key("failures").begin_array();
  for (const auto& failure : result.failures) {
    json.begin_object().member("seed", failure.seed).member("what", failure.what).end_object();
  }
  json.end_array().end_object();
  std::cout << out << "\n";
}

void print_text(const testing::SimulationResult& result, double seconds) {
  std::cout << result.schedules << " schedules, " << result.calls << " calls (median "
            << result.median_calls << ", most " << result.most_calls << "): " << result.answered
            << " answered, " << result.failed << " failed, " << result.cancelled
            << " cancelled by their callers\n"
            << result.attempts << " attempts, " << result.probes << " of them probes\n"
            << std::fixed << std::setprecision(1) << seconds << " s, " << std::setprecision(0)
            << static_cast<double>(result.schedules) / seconds * 60 << " schedules a minute\n";
  for (const auto& failure : result.failures) {
    std::cout << "seed " << failure.seed << ": " << failure.what
              << "\n  again: understudy simulate --seeds 1 --seed " << failure.seed << "\n";
  }
  std::cout << (result.failures.empty() ? "every invariant held" : "INVARIANTS BROKEN") << "\n";
}

int simulate(const Options& options) {
  if (options.trace) {
    testing::simulate_one(options.seed, &std::cout);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto result = testing::simulate(options.seed, options.seeds, options.threads);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  options.json ? print_json(result, took.count()) : print_text(result, took.count());
  return result.failures.empty() ? done : failed;
}

}  // namespace

Command simulate_command(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto* const app = program.add_subcommand(
      "simulate",
      "Runs random incidents in virtual time and checks what must always hold of failover.\n"
      "Exit code 1: an invariant was broken; the seed is printed, and replays it.");
  app->add_option("--seeds", options->seeds, "How many schedules")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000'000));
  app->add_option("--seed", options->seed, "The first seed")->capture_default_str();
  app->add_option("--threads", options->threads, "Threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app->add_flag("--trace", options->trace, "First prints what happens in the schedule of --seed");
  app->add_flag("--json", options->json, "One JSON object");
  return {app, [options] { return simulate(*options); }};
}

}  // namespace understudy::tool
