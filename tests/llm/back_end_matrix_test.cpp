// Requests of real agents and SDKs (tests/data/agent-requests), fitted to every back end and judged by strict doubles,
// which share no knowledge with the library (testing/strict_backend.hpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent_requests.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/fit.hpp"
#include "understudy/testing/strict_backend.hpp"

using namespace understudy;
using namespace understudy::llm;
using agent_requests::AgentRequest;
using testing::StrictBackend;
using testing::StrictBackends;
using testing::Strictness;

namespace {

FitTarget target_of(const StrictBackend& strict, const AgentRequest& request) {
  const auto id = strict.id() == "anthropic-4-5" ? "anthropic" : strict.id();
  const auto protocol = protocol_from(strict.protocol());
  REQUIRE(protocol);
  FitTarget target(*protocol, std::string(id), std::string(strict.default_model()));
  target.back_end = Catalog::built_in().back_end(id, *protocol);
  REQUIRE(target.back_end != nullptr);
  if (*protocol == Protocol::anthropic_messages) {
    target.betas = request.betas;
  }
  return target;
}

HttpFields headers_of(const FitTarget& target, const Fitted& fitted) {
  HttpFields headers;
  headers.add("content-type", "application/json");
  if (target.protocol == Protocol::anthropic_messages) {
    headers.add("anthropic-version", "2023-06-01");
  }
  if (!fitted.betas.empty()) {
    headers.add("anthropic-beta", fitted.betas);
  }
  headers.add("chatgpt-account-id", "account-1");
  return headers;
}

/// The texts of the request are marked "[m7]": each must arrive, or something must be named that went with it.
std::set<std::string> markers_of(std::string_view body) {
  std::set<std::string> markers;
  for (auto at = body.find('['); at != std::string_view::npos; at = body.find('[', at + 1)) {
    const auto end = body.find(']', at);
    const auto inside = body.substr(at + 1, std::min(end, body.size()) - at - 1);
    if (inside.size() > 1 && inside.size() < 6 && inside[0] >= 'a' && inside[0] <= 'z' &&
        std::all_of(inside.begin() + 1, inside.end(),
                    [](char c) { return c >= '0' && c <= '9'; })) {
      markers.emplace(body.substr(at, end - at + 1));
    }
  }
  return markers;
}

struct Cell {
  std::string refused_by;  // the id of the rule; empty: accepted
  std::string message;
  std::vector<std::string> unnamed;  // markers that are gone, and no loss could be it
};

Cell cell_of(const AgentRequest& asked, const StrictBackend& strict, Strictness strictness) {
  Cell cell;
  // Sealed reasoning of an earlier turn is this maker's own, where the client speaks its protocol.
  auto body = asked.body;
  constexpr std::string_view own = "@@own";
  const auto seal = strict.seal(strict.default_model());
  for (auto at = body.find(own); at != std::string::npos; at = body.find(own, at + seal.size())) {
    body.replace(at, own.size(), seal);
  }
  auto read = codec_for(asked.protocol).read_request(body);
  if (!read) {
    cell.refused_by = "read: " + read.error().message;
    return cell;
  }
  read->betas = asked.betas;
  const auto target = target_of(strict, asked);
  const auto fitted = fit(*read, target);
  const auto refusal = strict.judge(headers_of(target, fitted), fitted.body, strictness,
                                    "/" + target.model + ":streamRawPredict");
  if (refusal) {
    cell.refused_by = refusal->rule_id;
    cell.message = refusal->body;
  }
  for (const auto& marker : markers_of(asked.body)) {
    const bool named = std::any_of(fitted.losses.begin(), fitted.losses.end(), [](const Loss& l) {
      const auto what = about(l);
      return what == "content" || what == "reasoning" || what == "tool" || what == "message";
    });
    if (fitted.body.find(marker) == std::string::npos && !named) {
      cell.unnamed.push_back(marker);
    }
  }
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
