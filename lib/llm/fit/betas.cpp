#include <algorithm>

#include "llm/comma_list.hpp"
#include "llm/fit/fitting.hpp"

namespace understudy::llm::detail {
namespace {

/// The places where a gated member is in the body.
std::vector<text::JsonPath> places_of(const Fitting& fitting, std::string_view path) {
  std::vector<text::JsonPath> places;
  const auto brackets = path.find("[].");
  if (brackets == std::string_view::npos) {
    if (fitting.at(path)) {
      places.push_back(text::json_path(path));
    }
    return places;
  }
  const auto list = path.substr(0, brackets);
  const auto name = path.substr(brackets + 3);
  each_element(fitting.member(list), [&](std::size_t index, const dom::element& element) {
    if (member_of(element, name)) {
      places.push_back({std::string(list), index, std::string(name)});
    }
  });
  return places;
}

}  // namespace

void fit_betas(Fitting& fitting) {
  const auto* const known = fitting.rule(Check::header_beta);
  std::vector<std::string> words;
  each_word(fitting.betas, [&](std::string_view word) { words.emplace_back(word); });
  if (known != nullptr) {
    std::erase_if(words, [&](const std::string& word) {
      const bool refused = !contains(known->names, word);
      if (refused) {
        fitting.losses.add(Loss::Kind::dropped, "beta " + word);
      }
      return refused;
    });
  }
  fitting.each_rule(Check::gated, [&](const BackEndRule& rule) {
    const bool enabled = std::any_of(rule.names.begin(), rule.names.end(),
                                     [&](const auto& word) { return contains(words, word); });
    if (enabled || rule.names.empty()) {
      return;
    }
    const auto places = places_of(fitting, rule.path);
    const auto* const allowed = fitting.rule(Check::top_allow);
    const auto member = std::string_view(rule.path).substr(0, rule.path.find_first_of(".["));
    if (places.empty() || (allowed != nullptr && !contains(allowed->names, member))) {
      return;  // nothing to enable
    }
    if (known == nullptr || contains(known->names, rule.names.front())) {
      words.push_back(rule.names.front());
      return;
    }
    for (const auto& place : places) {
      fitting.edits.push_back(text::JsonEdit::remove(place));
    }
    fitting.losses.add(Loss::Kind::dropped, "field " + rule.path);
  });
  fitting.betas.clear();
  for (const auto& word : words) {
    fitting.betas.append(fitting.betas.empty() ? "" : ",").append(word);
  }
}

}  // namespace understudy::llm::detail
