// `understudy simulate`: random incidents and broken answers in virtual time.
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <thread>

#include "command.hpp"
#include "understudy/testing/broken_answers.hpp"
#include "understudy/testing/simulation.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

struct SimulationOptions {
  std::uint64_t seeds = 1'000;
  std::uint64_t seed = 1;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  bool trace = false;
  bool json = false;
};

/// One kind of schedules, and how long they took.
struct SimulationRun {
  testing::SimulationResult result;
  double seconds;
};

SimulationRun run(const SimulationOptions& options, decltype(testing::simulate)& simulate) {
  const auto start = std::chrono::steady_clock::now();
  auto result = simulate(options.seed, options.seeds, options.threads);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {std::move(result), took.count()};
}

void write_failures(JsonWriter& json, const SimulationRun& run) {
  json.member("seconds", run.seconds).key("failures").begin_array();
  for (const auto& failure : run.result.failures) {
    json.begin_object().member("seed", failure.seed).member("what", failure.what).end_object();
  }
  json.end_array();
}

void print_json(const SimulationRun& incidents, const SimulationRun& answers) {
  std::string out;
  JsonWriter json(out);
  const auto& one = incidents.result;
  json.begin_object()
      .member("schedules", one.schedules)
      .member("median_calls", one.median_calls)
      .member("most_calls", one.most_calls)
      .member("calls", one.calls)
      .member("answered", one.answered)
      .member("failed", one.failed)
      .member("cancelled", one.cancelled)
      .member("attempts", one.attempts)
      .member("probes", one.probes);
  write_failures(json, incidents);
  const auto& other = answers.result;
  json.key("broken_answers")
      .begin_object()
      .member("schedules", other.schedules)
      .member("answered", other.answered)
      .member("resumed", other.resumed)
      .member("failed", other.failed)
      .member("cancelled", other.cancelled)
      .member("attempts", other.attempts);
  write_failures(json, answers);
  json.end_object().end_object();
  std::cout << out << "\n";
}

void print_end(const SimulationRun& run) {
  std::cout << std::fixed << std::setprecision(1) << run.seconds << " s, " << std::setprecision(0)
            << static_cast<double>(run.result.schedules) / run.seconds * 60
            << " schedules per minute\n";
  for (const auto& failure : run.result.failures) {
    std::cout << "seed " << failure.seed << ": " << failure.what
              << "\n  reproduce: understudy simulate --seeds 1 --trace --seed " << failure.seed
              << "\n";
  }
  std::cout << (run.result.failures.empty() ? "every invariant held" : "INVARIANTS BROKEN") << "\n";
}

void print_text(const SimulationRun& incidents, const SimulationRun& answers) {
  const auto& one = incidents.result;
  std::cout << "Incidents: " << one.schedules << " schedules, " << one.calls << " calls (median "
            << one.median_calls << ", most " << one.most_calls << "): " << one.answered
            << " answered, " << one.failed << " failed, " << one.cancelled
            << " cancelled by their callers\n"
            << one.attempts << " attempts, " << one.probes << " of them probes\n";
  print_end(incidents);
  const auto& other = answers.result;
  std::cout << "\nBroken answers: " << other.schedules
            << " schedules of one call: " << other.answered << " answered, " << other.resumed
            << " of them resumed by another attempt, " << other.failed << " failed, "
            << other.cancelled << " left by their consumers\n"
            << other.attempts << " attempts\n";
  print_end(answers);
}

int simulate(const SimulationOptions& options) {
  if (options.trace) {
    testing::simulate_one(options.seed, &std::cout);
    testing::simulate_broken_answer(options.seed, &std::cout);
  }
  const auto incidents = run(options, testing::simulate);
  const auto answers = run(options, testing::simulate_broken_answers);
  options.json ? print_json(incidents, answers) : print_text(incidents, answers);
  return incidents.result.failures.empty() && answers.result.failures.empty() ? done : failed;
}

}  // namespace

Command simulate_command(CLI::App& program) {
  auto options = std::make_shared<SimulationOptions>();
  auto* const app = program.add_subcommand(
      "simulate",
      "Simulates random incidents, and answers that break at random, in virtual time, and checks\n"
      "the invariants of failover and of resumed answers.\n"
      "Exit code 1: an invariant was broken; the printed seed reproduces it.");
  app->add_option("--seeds", options->seeds, "The number of schedules of each kind")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000'000));
  app->add_option("--seed", options->seed, "The first seed")->capture_default_str();
  app->add_option("--threads", options->threads, "The number of threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app->add_flag("--trace", options->trace, "First prints the events of the schedules of --seed");
  app->add_flag("--json", options->json, "Prints one JSON object");
  return {app, [options] { return simulate(*options); }};
}

}  // namespace understudy::tool
