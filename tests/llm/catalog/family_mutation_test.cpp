// Each restriction of a family of models that is confirmed is taken out in turn: a strict double of its maker must then
// refuse a small request. What a family accepts is not tried: without the fact nothing is claimed, and nothing changes.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "../matrix_cell.hpp"
#include "llm/catalog/built_in.hpp"
#include "small_requests.hpp"

namespace family_mutation_test {

using namespace matrix_cell;
using small_requests::SmallRequest;

/// The lines of families.toml that restrict, without `true`, "accepted", lists of levels, and sizes.
bool restricts(const std::string& line) {
  constexpr std::array<std::string_view, 12> lines{"prefill = false",
                                                   "mid_system = false",
                                                   "forced_tools = \"refused\"",
                                                   "forced_tools = \"not_with_thinking\"",
                                                   "sampling = \"refused\"",
                                                   "sampling = \"default_only\"",
                                                   "sampling = \"with_none\"",
                                                   "sampling = \"one_of_two\"",
                                                   "stop = \"refused\"",
                                                   "max_tokens = \"refused\"",
                                                   "encrypted = \"refused\"",
                                                   "temperature_fixed = true"};
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::vector<std::string> families() {
  std::vector<std::string> found;
  const std::string_view text = understudy::llm::detail::built_in_families();
  constexpr std::string_view head = "\n[[families]]";
  for (auto at = text.find(head); at != std::string_view::npos;) {
    const auto next = text.find(head, at + 1);
    found.emplace_back(text.substr(at + 1, next == std::string_view::npos ? next : next - at));
    at = next;
  }
  return found;
}

/// The catalog's families of that text.
Catalog catalog_of(const std::string& toml) {
  auto read = Catalog::read(toml);
  REQUIRE(std::holds_alternative<Catalog>(read));
  return std::move(std::get<Catalog>(read));
}

std::vector<std::string_view> doubles_of(const std::string& maker) {
  static const std::map<std::string, std::vector<std::string_view>, std::less<>> all{
      {"anthropic", {"anthropic"}},
      {"openai", {"openai-responses", "openai-chat"}},
      {"deepseek", {"deepseek"}},
      {"zai", {"zai"}},
      {"moonshot", {"kimi"}},
      {"minimax", {"minimax"}},
      {"xai", {"xai"}},
      {"google", {"gemini"}},
      {"mistral", {"mistral"}},
  };
  const auto found = all.find(maker);
  return found == all.end() ? std::vector<std::string_view>() : found->second;
}

Fitted fitted_with(const Catalog& catalog, const SmallRequest& asked, const StrictBackend& strict,
                   FitTarget& target) {
  target.catalog = &catalog;
  return fitted_to(asked, strict, target);
}

/// The rules that only the second request breaks; empty: none.
std::string only_second(const StrictBackend& strict, const FitTarget& target, const Fitted& first,
                        const Fitted& second) {
  std::set<std::string> before;
  for (const auto& broken : judged(strict, target, first).broken) {
    before.insert(broken.rule_id);
  }
  for (const auto& broken : judged(strict, target, second).broken) {
    if (!before.contains(broken.rule_id)) {
      return broken.rule_id;
    }
  }
  return {};
}

/// What is refused at a double of the maker where the catalog is the mutant; empty: nothing.
std::string refused_by(const Catalog& whole, const Catalog& mutant, const std::string& model,
                       const std::vector<SmallRequest>& requests) {
  for (const auto id : doubles_of(whole.families().front().maker)) {
    const auto& strict = StrictBackends::embedded().backend(id);
    for (const auto& request : requests) {
      auto target = target_of(strict, request, back_end_of(strict));
      target.model = model;
      const auto first = fitted_with(whole, request, strict, target);
      const auto second = fitted_with(mutant, request, strict, target);
      if (first.body != second.body) {
        if (auto rule = only_second(strict, target, first, second); !rule.empty()) {
          return rule;
        }
      }
    }
  }
  return {};
}

TEST_CASE("each restriction of a family of models is needed: without it a request is refused") {
  const auto requests = small_requests::all();
  std::size_t restrictions = 0;
  for (const auto& family : families()) {
    const auto whole = catalog_of(family);
    const auto& facts = whole.families().front();
    auto model = facts.match.front();
    model.resize(model.find_last_not_of("$*-") + 1);
    const bool testable = facts.confirmed() && &Catalog::built_in().model(model) !=
                                                   &Catalog::built_in().model("no such model");
    std::istringstream lines(family);
    for (std::string line; testable && std::getline(lines, line);) {
      if (!restricts(line)) {
        continue;
      }
      auto text = family;
      text.erase(text.find(line), line.size());
      CAPTURE(model);
      CAPTURE(line);
      CHECK(refused_by(whole, catalog_of(text), model, requests) != "");
      ++restrictions;
    }
  }
  MESSAGE(restrictions << " restrictions");
  CHECK(restrictions > 50);
}

}  // namespace family_mutation_test
