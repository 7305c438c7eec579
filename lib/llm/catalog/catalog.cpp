#include "understudy/llm/catalog/catalog.hpp"

#include <algorithm>
#include <stdexcept>

#include "llm/catalog/built_in.hpp"
#include "text/glob.hpp"
#include "understudy/text/source_errors.hpp"

namespace understudy::llm {
namespace {

const ModelFacts nothing_known;

Catalog read_built_in() {
  const auto text =
      std::string(detail::built_in_families()).append("\n").append(detail::built_in_back_ends());
  auto read = Catalog::read(text);
  if (auto* const errors = std::get_if<std::vector<text::SourceError>>(&read)) {
    throw std::logic_error(to_string(text::SourceErrors{"catalog", *errors}));
  }
  return std::move(std::get<Catalog>(read));
}

}  // namespace

const std::vector<std::string>* ModelFacts::efforts(Protocol protocol) const noexcept {
  const auto& of_endpoint = protocol == Protocol::openai_responses ? effort_responses : effort_chat;
  const auto& own = effort ? effort : of_endpoint;
  return own ? &*own : nullptr;
}

const BackEndRule* BackEnd::rule(Check check) const noexcept {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const BackEndRule* rule) {
    return rule->check == check && rule->acts();
  });
  return found == rules.end() ? nullptr : *found;
}

const Catalog& Catalog::built_in() {
  static const Catalog catalog = read_built_in();
  return catalog;
}

const BackEnd* Catalog::back_end(std::string_view preset_or_id, Protocol protocol) const noexcept {
  const auto found = std::find_if(back_ends_.begin(), back_ends_.end(), [&](const BackEnd& one) {
    return one.protocol == protocol &&
           (one.id == preset_or_id ||
            std::find(one.presets.begin(), one.presets.end(), preset_or_id) != one.presets.end());
  });
  return found == back_ends_.end() ? nullptr : &*found;
}

bool Catalog::takes_header(std::string_view name) const noexcept {
  return std::any_of(back_ends_.begin(), back_ends_.end(), [&](const BackEnd& one) {
    return std::any_of(
        one.request_headers.begin(), one.request_headers.end(),
        [&](const std::string& pattern) { return text::matches_glob(pattern, name); });
  });
}

const BackEnd& Catalog::unknown(Protocol protocol) const noexcept {
  const auto* const common = back_end("unknown", protocol);
  static const BackEnd none;
  return common == nullptr ? none : *common;
}

const ModelFacts& Catalog::model(std::string_view name) const {
  const auto normal = normal_model_name(name);
  for (const auto& family : families_) {
    if (std::any_of(family.match.begin(), family.match.end(),
                    [&](const auto& pattern) { return matches_family(normal, pattern); })) {
      return family;
    }
  }
  return nothing_known;
}

}  // namespace understudy::llm
