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

/// What a double and the markers say about a fitted request.
std::set<std::string> complaints_about(const SmallRequest& asked, const Fitted& fitted,
                                       const StrictBackend& strict, const BackEnd& back_end) {
  std::set<std::string> complaints;
  const auto verdict = judged(strict, target_at(strict, asked, back_end), fitted);
  for (const auto& broken : verdict.broken) {
    complaints.insert(broken.rule_id);
  }
  for (const auto& dropped : verdict.dropped) {
    complaints.insert("dropped " + dropped);
  }
  for (const auto& marker : unnamed_losses(asked, fitted)) {
    complaints.insert("lost " + marker);
  }
  return complaints;
}

/// The requests, fitted with the whole catalog.
class Whole {
 public:
  explicit Whole(std::vector<SmallRequest> requests) : requests_(std::move(requests)) {}

  /// What only happens without the rules, at any double that the back end's requests must satisfy; empty: nothing. Of the
  /// first `most` requests.
  std::string complaint_without(const std::set<const BackEndRule*>& rules, const BackEnd& back_end,
                                const std::vector<const StrictBackend*>& doubles,
                                std::size_t most = static_cast<std::size_t>(-1)) {
    auto mutant = back_end;
    std::erase_if(mutant.rules, [&](const auto* rule) { return rules.contains(rule); });
    for (const auto* const strict : doubles) {
      for (std::size_t i = 0; i < std::min(most, requests_.size()); ++i) {
        const auto& asked = requests_[i];
        const auto& whole = fitted(*strict, back_end, i);
        const auto without = fitted_to(asked, *strict, target_at(*strict, asked, mutant));
        if (without.body == whole.body && without.betas == whole.betas &&
            without.losses.size() == whole.losses.size()) {
          continue;
        }
        const auto before = complaints_about(asked, whole, *strict, back_end);
        for (const auto& one : complaints_about(asked, without, *strict, mutant)) {
          if (!before.contains(one)) {
            return asked.name + " at " + std::string(strict->id()) + ": " + one;
          }
        }
      }
    }
    return {};
  }

 private:
  const Fitted& fitted(const StrictBackend& strict, const BackEnd& back_end, std::size_t request) {
    auto& known = fitted_[&back_end][&strict];
    known.resize(requests_.size());
    if (known[request].body.empty()) {
      const auto& asked = requests_[request];
      known[request] = fitted_to(asked, strict, target_at(strict, asked, back_end));
    }
    return known[request];
  }

  std::vector<SmallRequest> requests_;
  std::map<const BackEnd*, std::map<const StrictBackend*, std::vector<Fitted>>> fitted_;
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
    const auto most = small_requests::all().size();
    CHECK(whole.complaint_without(silent, back_end, {doubles_of(back_end).front()}, most) == "");
  }
  for (const auto& [id, complaint] : noticed) {
    acting += complaint.empty() ? 0 : 1;
  }
  MESSAGE(acting << " rules change requests; " << noticed.size() - acting << " do not");
}

}  // namespace rule_mutation_test
