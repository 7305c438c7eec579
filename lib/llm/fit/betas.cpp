#include <algorithm>

#include "llm/error_words.hpp"
#include "llm/fit/fitting.hpp"

namespace understudy::llm::detail {
namespace {

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto word = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!word.empty()) {
      words.emplace_back(word);
    }
  }
  return words;
}

/// The places where a gated member is in the body.
std::vector<text::JsonPath> places_of(const Fitting& fitting, std::string_view path) {
  std::vector<text::JsonPath> places;
  const auto brackets = path.find("[].");
  if (brackets == std::string_view::npos) {
    if (fitting.at(path)) {
      places.push_back(Fitting::path_of(path));
    }
    return places;
  }
  const auto list = path.substr(0, brackets);
  const auto name = path.substr(brackets + 3);
  dom::array elements;
  const auto value = fitting.member(list);
  if (!value || value->get(elements) != simdjson::SUCCESS) {
    return places;
  }
  std::size_t index = 0;
  for (const auto element : elements) {
    if (member_of(element, name)) {
      places.push_back({std::string(list), index, std::string(name)});
    }
    ++index;
  }
  return places;
}

}  // namespace

void fit_betas(Fitting& fitting) {
  const auto* const known = fitting.rule(Check::header_beta);
  auto words = words_of(fitting.betas);
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
