#include <algorithm>
#include <map>

#include "llm/catalog/tables.hpp"
#include "text/section.hpp"
#include "text/suggestions.hpp"
#include "text/toml.hpp"

namespace understudy::llm {
namespace {

using text::Findings;
using text::Section;
using text::SourceError;

}  // namespace

/// Builds a catalog from the sections of a file.
class CatalogReader {
 public:
  explicit CatalogReader(const text::TomlNode& document)
      : root_(findings_, detail::catalog_schema(), "", document) {}

  std::variant<Catalog, std::vector<SourceError>> read() {
    for (const auto& section : sections("families", "families")) {
      detail::family_keys().read(section, catalog_.families_.emplace_back());
      section.finish();
    }
    for (const auto& section : sections("rules", "rules")) {
      read_rule(section);
    }
    for (const auto& section : sections("back_ends", "back_ends")) {
      read_back_end(section);
    }
    root_.finish();
    if (!findings_.empty()) {
      return findings_.take();
    }
    return std::move(catalog_);
  }

 private:
  std::vector<Section> sections(std::string_view key, std::string_view name) const {
    return root_.tables(key, name).value_or(std::vector<Section>());
  }

  void read_rule(const Section& section) {
    auto rule = std::make_unique<BackEndRule>();
    detail::rule_keys().read(section, *rule);
    section.finish();
    const bool lossy = rule->effect == Effect::lossy || rule->effect == Effect::refuse;
    if (rule->effect == Effect::refuse && rule->check != Check::context_window) {
      section.wrong("effect", "only a context window may keep a request from a back end",
                    "write effect = \"advisory\"");
    } else if (lossy && !rule->acts() && rule->effect != Effect::refuse) {
      section.wrong("effect", "a lossy rule must be confirmed by the maker or by several reports",
                    "write effect = \"advisory\", or confidence = \"live\" with its sources");
    }
    if (!rules_.emplace(rule->id, rule.get()).second) {
      section.wrong("id", "there are two rules with this id", "choose another id");
    }
    catalog_.rules_.push_back(std::move(rule));
  }

  void read_back_end(const Section& section) {
    BackEnd back_end;
    detail::back_end_keys().read(section, back_end);
    section.finish();
    for (const auto& id : back_end.rule_ids) {
      const auto rule = rules_.find(id);
      if (rule == rules_.end()) {
        section.wrong("rules", "there is no rule " + text::ticked(id),
                      "write the id of one of the `[[rules]]`");
      } else {
        back_end.rules.push_back(rule->second);
      }
    }
    catalog_.back_ends_.push_back(std::move(back_end));
  }

  Findings findings_;
  Section root_;
  Catalog catalog_;
  std::map<std::string, const BackEndRule*, std::less<>> rules_;
};

std::variant<Catalog, std::vector<SourceError>> Catalog::read(std::string_view toml) {
  auto parsed = text::parse_toml(toml);
  if (auto* const error = std::get_if<SourceError>(&parsed)) {
    std::vector<SourceError> errors;
    errors.push_back(std::move(*error));
    return errors;
  }
  return CatalogReader(std::get<text::TomlNode>(parsed)).read();
}

}  // namespace understudy::llm
