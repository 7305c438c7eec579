#include "text/schema.hpp"

#include <algorithm>
#include <stdexcept>

#include "text/suggestions.hpp"

namespace understudy::text {
namespace {

/// The keys of the file itself: the first part of each section's name.
SectionRow file_of(const std::vector<SectionRow>& sections) {
  SectionRow file("", "");
  for (const auto& section : sections) {
    const auto name = section.name.substr(0, section.name.find('.'));
    const bool known = std::any_of(file.keys.begin(), file.keys.end(),
                                   [&](const KeyRow& key) { return key.name == name; });
    if (!known) {
      auto& row = file.keys.emplace_back(name, section.is_list ? "list of tables" : "table",
                                         section.documentation);
      row.example = section.header();
      row.aliases = section.aliases;
    }
  }
  return file;
}

}  // namespace

std::string SectionRow::header() const {
  return (is_list ? "[[" : "[") + std::string(name) + (is_list ? "]]" : "]");
}

Schema::Schema(std::vector<SectionRow> sections) : sections_(std::move(sections)) {
  sections_.insert(sections_.begin(), file_of(sections_));
}

const SectionRow& Schema::section(std::string_view name) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const SectionRow& row) { return row.name == name; });
  if (found == sections_.end()) {
    throw std::logic_error("no section in the schema: " + std::string(name));
  }
  return *found;
}

const KeyRow* Schema::find(std::string_view section, std::string_view key) const {
  const auto rows = keys(section);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const KeyRow* r) { return r->name == key; });
  return row == rows.end() ? nullptr : *row;
}

const KeyRow& Schema::key(std::string_view section, std::string_view key) const {
  const auto* const row = find(section, key);
  if (row == nullptr) {
    throw std::logic_error("no key in the schema: " + std::string(key));
  }
  return *row;
}

std::vector<const KeyRow*> Schema::keys(std::string_view section_name) const {
  const auto& own = section(section_name);
  std::vector<const KeyRow*> rows;
  if (!own.includes.empty()) {
    rows = keys(own.includes);
  }
  for (const auto& row : own.keys) {
    rows.push_back(&row);
  }
  return rows;
}

std::vector<std::string_view> Schema::key_names(std::string_view section) const {
  const auto rows = keys(section);
  std::vector<std::string_view> names(rows.size());
  std::transform(rows.begin(), rows.end(), names.begin(),
                 [](const KeyRow* row) { return row->name; });
  return names;
}

std::string_view Schema::meant(std::string_view section, std::string_view written) const {
  if (find(section, written) != nullptr) {
    return written;
  }
  // No edit distance leads from an alias to its key.
  for (const auto* row : keys(section)) {
    if (std::find(row->aliases.begin(), row->aliases.end(), written) != row->aliases.end()) {
      return row->name;
    }
  }
  return nearest(written, key_names(section));
}

std::string Schema::suggestion(std::string_view section, std::string_view written) const {
  if (const auto name = meant(section, written); !name.empty()) {
    return key(section, name).suggest_example ? instruction(section, name)
                                              : "did you mean `" + std::string(name) + "`?";
  }
  std::vector<std::string> headers;
  for (const auto& other : sections_) {
    const bool has = std::any_of(other.keys.begin(), other.keys.end(),
                                 [&](const KeyRow& key) { return key.name == written; });
    if (has && !other.name.empty()) {
      headers.push_back(other.header());
    }
  }
  if (headers.empty() || headers.size() > 3) {
    return "keys here are " + list_of(key_names(section));
  }
  return "it belongs in " +
         list_of(std::vector<std::string_view>(headers.begin(), headers.end()), "");
}

std::string Schema::instruction(std::string_view section, std::string_view name) const {
  const auto& row = key(section, name);
  return section.empty() ? "write " + row.example + " on a line of its own, and its keys below it"
                         : "write " + std::string(name) + " = " + row.example;
}

}  // namespace understudy::text
