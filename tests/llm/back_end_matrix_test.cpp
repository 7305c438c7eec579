// Requests of real agents and SDKs (tests/data/agent-requests), fitted to every back end and judged by strict doubles,
// which share no knowledge with the library (testing/strict_backend.hpp).
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "matrix_cell.hpp"

namespace back_end_matrix_test {

using namespace matrix_cell;

namespace {

struct Cell {
  std::string refused_by;  // the id of the rule; empty: accepted
  std::string message;
  std::vector<std::string> unnamed;
};

Cell cell_of(const AgentRequest& asked, const StrictBackend& strict, Strictness strictness) {
  const auto target = target_of(strict, asked, back_end_of(strict));
  const auto fitted = fitted_to(asked, strict, target);
  Cell cell;
  if (const auto refusal = judged(strict, target, fitted, strictness).refusal) {
    cell.refused_by = refusal->rule_id;
    cell.message = refusal->body;
  }
  cell.unnamed = unnamed_losses(asked, fitted);
  return cell;
}

}  // namespace

TEST_CASE(
    "agents' requests at every back end: all are accepted at the first attempt, and no loss is "
    "unnamed") {
  const auto requests = agent_requests::all();
  std::size_t cells = 0;
  for (const auto id : StrictBackends::embedded().ids()) {
    const auto& strict = StrictBackends::embedded().backend(id);
    for (const auto& request : requests) {
      const auto cell = cell_of(request, strict, Strictness::documented);
      CAPTURE(request.name);
      CAPTURE(std::string(id));
      CAPTURE(cell.message);
      CHECK(cell.refused_by == "");
      CHECK(cell.unnamed == std::vector<std::string>());
      ++cells;
    }
  }
  CHECK(cells == 783);
}

// Rules that a single report or general knowledge supports: what they would refuse is printed, for docs/backends.md 6.
TEST_CASE("agents' requests at every back end, with the rules that are not confirmed") {
  const auto requests = agent_requests::all();
  std::map<std::string, std::size_t> by_rule;
  std::size_t accepted = 0;
  for (const auto id : StrictBackends::embedded().ids()) {
    const auto& strict = StrictBackends::embedded().backend(id);
    std::size_t here = 0;
    for (const auto& request : requests) {
      const auto cell = cell_of(request, strict, Strictness::everything);
      here += cell.refused_by.empty() ? 1 : 0;
      if (!cell.refused_by.empty()) {
        ++by_rule[cell.refused_by];
      }
    }
    accepted += here;
    INFO(std::string(id) << ": " << here);
    CHECK(here > 0);
  }
  std::string text;
  for (const auto& [rule, count] : by_rule) {
    text += " " + rule + " " + std::to_string(count);
  }
  MESSAGE(accepted << " of 783; refused by" << text);
  CHECK(accepted >= 700);
}

}  // namespace back_end_matrix_test
