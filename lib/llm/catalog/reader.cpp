#include <algorithm>
#include <iterator>
#include <map>
#include <set>

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

/// Adds the sections of a file to a catalog.
class CatalogReader {
 public:
  CatalogReader(const text::TomlNode& document, const Catalog& base, const std::string& origin)
      : root_(findings_, detail::catalog_schema(), "", document), catalog_(base), origin_(origin) {
    for (const auto& rule : catalog_.rules_) {
      places_.emplace(rule->id, places_.size());
    }
  }

  std::variant<Catalog, std::vector<SourceError>> read() {
    std::vector<ModelFacts> families;
    for (const auto& section : sections("families", "families")) {
      families.push_back(facts(section));
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
    auto& all = catalog_.families_;
    all.insert(all.begin(), std::make_move_iterator(families.begin()),
               std::make_move_iterator(families.end()));
    return std::move(catalog_);
  }

 private:
  std::vector<Section> sections(std::string_view key, std::string_view name) const {
    return root_.tables(key, name).value_or(std::vector<Section>());
  }

  ModelFacts facts(const Section& section) const {
    ModelFacts facts;
    if (const auto like = section.text("like")) {
      facts = catalog_.model(*like);
      if (!facts.known()) {
        section.wrong("like", "nothing is known about " + text::ticked(*like),
                      "write the name of a model that the catalog has, or remove it");
      }
      facts.source.clear();
    }
    detail::family_keys().read(section, facts);
    section.finish();
    facts.origin = origin_;
    if (!origin_.empty()) {
      std::transform(facts.match.begin(), facts.match.end(), facts.match.begin(), normal_pattern);
    }
    return facts;
  }

  /// A pattern of a user, who writes names as providers do: "gpt-5.4*".
  static std::string normal_pattern(const std::string& pattern) {
    const auto end = pattern.find_last_not_of("*$-") + 1;
    return normal_model_name(pattern.substr(0, end)) + pattern.substr(end);
  }

  void read_rule(const Section& section) {
    auto rule = std::make_shared<BackEndRule>();
    detail::rule_keys().read(section, *rule);
    section.finish();
    rule->origin = origin_;
    const bool lossy = rule->effect == Effect::lossy || rule->effect == Effect::refuse;
    if (rule->effect == Effect::refuse && rule->check != Check::context_window) {
      section.wrong("effect", "only a context window may keep a request from a back end",
                    "write effect = \"advisory\"");
    } else if (lossy && !rule->acts() && rule->effect != Effect::refuse) {
      section.wrong("effect", "a lossy rule must be confirmed by the maker or by several reports",
                    "write effect = \"advisory\", or confidence = \"live\" with its sources");
    }
    if (!own_rules_.insert(rule->id).second) {
      section.wrong("id", "there are two rules with this id", "choose another id");
      return;
    }
    auto& rules = catalog_.rules_;
    const auto [place, fresh] = places_.emplace(rule->id, rules.size());
    if (fresh) {
      rules.push_back(std::move(rule));
      return;
    }
    auto& replaced = rules[place->second];
    for (auto& back_end : catalog_.back_ends_) {
      std::replace(back_end.rules.begin(), back_end.rules.end(), replaced.get(),
                   static_cast<const BackEndRule*>(rule.get()));
    }
    replaced = std::move(rule);
  }

  const BackEndRule* rule(std::string_view id) const {
    const auto found = places_.find(id);
    return found == places_.end() ? nullptr : catalog_.rules_[found->second].get();
  }

  void read_back_end(const Section& section) {
    BackEnd read;
    detail::back_end_keys().read(section, read);
    section.finish();
    auto& all = catalog_.back_ends_;
    const auto known = std::find_if(all.begin(), all.end(), [&](const BackEnd& one) {
      return one.id == read.id && one.protocol == read.protocol;
    });
    const bool extends = known != all.end();
    auto& back_end = extends ? *known : all.emplace_back(read);
    back_end.origin = origin_;
    for (const auto& id : read.rule_ids) {
      const auto* const named = rule(id);
      if (named == nullptr) {
        section.wrong("rules", "there is no rule " + text::ticked(id),
                      "write the id of one of the `[[rules]]`");
      } else if (std::find(back_end.rules.begin(), back_end.rules.end(), named) ==
                 back_end.rules.end()) {
        back_end.rules.push_back(named);
      }
    }
    if (extends) {
      const auto replace = [&](std::string_view key, auto BackEnd::* member) {
        if (section.has(key)) {
          back_end.*member = read.*member;
        }
      };
      replace("title", &BackEnd::title);
      replace("presets", &BackEnd::presets);
      replace("base_url", &BackEnd::base_url);
      replace("model_in_path", &BackEnd::model_in_path);
      replace("owner", &BackEnd::owner);
      replace("binds_account", &BackEnd::binds_account);
      replace("request_headers", &BackEnd::request_headers);
      replace("response_headers", &BackEnd::response_headers);
    }
  }

  Findings findings_;
  Section root_;
  Catalog catalog_;
  std::string origin_;
  std::set<std::string> own_rules_;
  std::map<std::string, std::size_t, std::less<>> places_;  // of the catalog's rules, by their ids
};

std::variant<Catalog, std::vector<SourceError>> Catalog::read(std::string_view toml) {
  Catalog catalog;
  auto errors = catalog.add(toml, {});
  if (!errors.empty()) {
    return errors;
  }
  return catalog;
}

std::vector<SourceError> Catalog::add(std::string_view toml, const std::string& origin) {
  auto parsed = text::parse_toml(toml);
  if (auto* const error = std::get_if<SourceError>(&parsed)) {
    return {std::move(*error)};
  }
  auto read = CatalogReader(std::get<text::TomlNode>(parsed), *this, origin).read();
  if (auto* const errors = std::get_if<std::vector<SourceError>>(&read)) {
    return std::move(*errors);
  }
  *this = std::move(std::get<Catalog>(read));
  return {};
}

}  // namespace understudy::llm
