// Each rule of the catalog that changes requests is taken out in turn: at least one request must then be refused by a
// strict double, or lose a text unnamed. So no rule is without effect, and none is without a test.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../matrix_cell.hpp"
#include "small_requests.hpp"

namespace rule_mutation_test {

using namespace matrix_cell;
using small_requests::SmallRequest;

/// What a double and the markers say about a fitted request.
struct Cell {
  Fitted fitted;
  std::set<std::string> complaints;
};

FitTarget target_at(const StrictBackend& strict, const SmallRequest& asked,
                    const BackEnd& back_end) {
  auto target = target_of(strict, asked, back_end);
  if (!asked.model.empty()) {
    target.model = asked.model;
  }
  target.stream = asked.stream;
  return target;
}

/// The small requests, and those of agents.
std::vector<SmallRequest> every_request() {
  auto requests = small_requests::all();
  for (const auto& one : agent_requests::all()) {
    requests.emplace_back(one.name, one.protocol, one.body, std::string(), one.betas);
  }
  return requests;
}

Cell cell_of(const SmallRequest& asked, const StrictBackend& strict, const BackEnd& back_end) {
  Cell cell;
  const auto target = target_at(strict, asked, back_end);
  cell.fitted = fitted_to(asked, strict, target);
  const auto verdict = judged(strict, target, cell.fitted);
  for (const auto& broken : verdict.broken) {
    cell.complaints.insert(broken.rule_id);
  }
  for (const auto& dropped : verdict.dropped) {
    cell.complaints.insert("dropped " + dropped);
  }
  for (const auto& marker : unnamed_losses(asked, cell.fitted)) {
    cell.complaints.insert("lost " + marker);
  }
  return cell;
}

/// The requests at the doubles, with the whole catalog.
class Whole {
 public:
  explicit Whole(std::vector<SmallRequest> requests) : requests_(std::move(requests)) {}

  const std::vector<SmallRequest>& requests() const { return requests_; }
  const Cell& cell(const StrictBackend& strict, const BackEnd& back_end, std::size_t request) {
    auto& known = cells_[&back_end][&strict];
    known.resize(requests_.size());
    if (known[request].fitted.body.empty()) {
      known[request] = cell_of(requests_[request], strict, back_end);
    }
    return known[request];
  }

  /// What only happens without the rules, at any double that the back end's requests must satisfy; empty: nothing.
  std::string complaint_without(const std::set<const BackEndRule*>& rules, const BackEnd& back_end,
                                const std::vector<const StrictBackend*>& doubles) {
    auto mutant = back_end;
    std::erase_if(mutant.rules, [&](const auto* rule) { return rules.contains(rule); });
    for (const auto* const strict : doubles) {
      for (std::size_t i = 0; i < requests_.size(); ++i) {
        const auto& whole = cell(*strict, back_end, i);
        const auto fitted =
            fitted_to(requests_[i], *strict, target_at(*strict, requests_[i], mutant));
        if (fitted.body == whole.fitted.body && fitted.betas == whole.fitted.betas &&
            fitted.losses.size() == whole.fitted.losses.size()) {
          continue;
        }
        for (const auto& one : cell_of(requests_[i], *strict, mutant).complaints) {
          if (!whole.complaints.contains(one)) {
            return requests_[i].name + " at " + std::string(strict->id()) + ": " + one;
          }
        }
      }
    }
    return {};
  }

 private:
  std::vector<SmallRequest> requests_;
  std::map<const BackEnd*, std::map<const StrictBackend*, std::vector<Cell>>> cells_;
};

std::vector<const StrictBackend*> doubles_of(const BackEnd& back_end) {
  std::vector<const StrictBackend*> found;
  for (const auto id : StrictBackends::embedded().ids()) {
    const auto& strict = StrictBackends::embedded().backend(id);
    const bool any =
        back_end.id == "unknown" && protocol_from(strict.protocol()) == back_end.protocol;
    if (any || &back_end_of(strict) == &back_end) {
      found.push_back(&strict);
    }
  }
  return found;
}

/// Why a small request is refused all the same.
struct Refused {
  const char* request;
  const char* rule;
  const char* why;
};

constexpr std::array refused{
    Refused{"a new beta and a new member of Claude Code", "a.beta", "to the maker all is sent on"},
    Refused{"a new beta and a new member of Claude Code", "a.top", "to the maker all is sent on"},
    Refused{"a result without its call", "oc.pairing",
            "the client's own error, in its own protocol"},
    Refused{"an image in a tool's result", "oc.image_tool",
            "the client's own, in its own protocol"},
    Refused{"a tool's name with a dot", "k.name", "the client's own, in its own protocol"},
};

TEST_CASE("what public reports say is refused: accepted after fitting, by every back end") {
  std::set<std::string> happened;
  for (const auto& request : small_requests::all()) {
    for (const auto id : StrictBackends::embedded().ids()) {
      const auto& strict = StrictBackends::embedded().backend(id);
      const auto target = target_at(strict, request, back_end_of(strict));
      const auto fitted = fitted_to(request, strict, target);
      CAPTURE(request.name);
      CAPTURE(std::string(id));
      CHECK(unnamed_losses(request, fitted) == std::vector<std::string>());
      for (const auto& broken : judged(strict, target, fitted).broken) {
        const auto known = std::find_if(refused.begin(), refused.end(), [&](const Refused& one) {
          return one.request == request.name && one.rule == broken.rule_id;
        });
        CAPTURE(broken.rule_id);
        CAPTURE(broken.message);
        CHECK_FALSE((broken.documented && known == refused.end()));
        if (known != refused.end()) {
          happened.insert(std::string(known->request) + known->rule);
        }
      }
    }
  }
  CHECK(happened.size() == refused.size());
}

TEST_CASE(
    "each rule of the catalog is needed: without it a request is refused or loses something") {
  Whole whole(every_request());
  std::map<std::string, std::string> noticed;
  for (const auto& back_end : Catalog::built_in().back_ends()) {
    const auto doubles = doubles_of(back_end);
    REQUIRE_FALSE(doubles.empty());
    for (const auto* const rule : back_end.rules) {
      auto& complaint = noticed[rule->id];
      if (rule->acts() && complaint.empty()) {
        complaint = whole.complaint_without({rule}, back_end, doubles);
      }
    }
  }
  std::size_t acting = 0;
  for (const auto& back_end : Catalog::built_in().back_ends()) {
    std::set<const BackEndRule*> silent;
    for (const auto* const rule : back_end.rules) {
      if (rule->acts()) {
        CAPTURE(rule->id);
        CHECK(noticed[rule->id] != "");
      } else {
        silent.insert(rule);
      }
    }
    CAPTURE(back_end.id);
    CHECK(whole.complaint_without(silent, back_end, {doubles_of(back_end).front()}) == "");
  }
  for (const auto& [id, complaint] : noticed) {
    acting += complaint.empty() ? 0 : 1;
  }
  MESSAGE(acting << " rules change requests; " << noticed.size() - acting << " do not");
}

}  // namespace rule_mutation_test
