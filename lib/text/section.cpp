#include "text/section.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "text/durations.hpp"
#include "text/sizes.hpp"
#include "text/suggestions.hpp"

namespace understudy::text {
namespace {

/// Empty if it cannot be guessed what was meant.
std::string write_instead(std::string_view key, const std::string& meant) {
  return meant.empty() ? "" : "write " + std::string(key) + " = \"" + meant + "\"";
}

}  // namespace

void Findings::add(SourcePlace place, std::string what, std::string suggestion) {
  if (errors_.size() < most) {
    errors_.emplace_back(place, std::move(what), std::move(suggestion));
  } else {
    ++more_;
  }
}

std::vector<SourceError> Findings::take() {
  std::sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.place, a.what) < std::tie(b.place, b.what);
  });
  if (more_ > 0) {
    errors_.emplace_back(SourcePlace(), "and " + std::to_string(more_) + " more",
                         "correct those above first");
  }
  return std::move(errors_);
}

std::optional<std::string> text_of(Findings& findings, const TomlNode& node, std::string_view name,
                                   std::string_view suggestion) {
  const auto* const text = std::get_if<std::string>(&node.value);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::string what = ticked(name);
  if (text == nullptr) {
    what += " must be a string";
  } else if (text->empty()) {
    what += " is empty";
  } else if (std::any_of(text->begin(), text->end(), control)) {
    what += " holds a control character";
  } else {
    return *text;
  }
  findings.add(node.place, std::move(what), std::string(suggestion));
  return std::nullopt;
}

Section::Section(Findings& findings, const Schema& schema, std::string_view name,
                 const TomlNode& node)
    : findings_(&findings),
      schema_(&schema),
      name_(schema.section(name).name),
      table_(&std::get<TomlNode::Table>(node.value)),
      place_(node.place) {}

const TomlNode::Entry* Section::entry(std::string_view key) const {
  const auto found = std::find_if(table_->begin(), table_->end(),
                                  [&](const auto& candidate) { return candidate.key == key; });
  return found == table_->end() ? nullptr : &*found;
}

bool Section::lacks(std::string_view key) const {
  return std::none_of(table_->begin(), table_->end(), [&](const auto& candidate) {
    return candidate.key == key || schema_->meant(name_, candidate.key) == key;
  });
}

SourcePlace Section::place_of(std::string_view key) const {
  const auto* const found = entry(key);
  return found == nullptr ? place_ : found->node.place;
}

const TomlNode* Section::find(std::string_view key) const {
  static_cast<void>(schema_->key(name_, key));
  const auto* const found = entry(key);
  return found == nullptr ? nullptr : &found->node;
}

template <class T>
const T* Section::find(std::string_view key, std::string_view kind) const {
  const auto* const node = find(key);
  const auto* const value = node == nullptr ? nullptr : std::get_if<T>(&node->value);
  if (node != nullptr && value == nullptr) {
    wrong(key, ticked(key).append(" must be ").append(kind));
  }
  return value;
}

std::optional<bool> Section::flag(std::string_view key) const {
  const auto* const value = find<bool>(key, "true or false");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string> Section::text(std::string_view key) const {
  const auto* const node = find(key);
  return node == nullptr ? std::nullopt
                         : text_of(*findings_, *node, key, schema_->instruction(name_, key));
}

bool Section::says(std::string_view key, std::string_view word) const {
  const auto* const node = find(key);
  const auto* const text = node == nullptr ? nullptr : std::get_if<std::string>(&node->value);
  return text != nullptr && *text == word;
}

std::optional<std::chrono::nanoseconds> Section::duration(std::string_view key) const {
  const auto* const node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto* const text = std::get_if<std::string>(&node->value);
  if (text == nullptr) {
    const auto* const number = std::get_if<std::int64_t>(&node->value);
    wrong(key, ticked(key) + " must be a string with a unit",
          write_instead(key, number == nullptr ? "" : meant_duration(std::to_string(*number))));
    return std::nullopt;
  }
  const auto duration = parse_duration(*text);
  if (!duration) {
    wrong(key, ticked(key) + " is not a duration: a number above zero and one of ms, s, m, h",
          write_instead(key, meant_duration(*text)));
  }
  return duration;
}

std::optional<std::uint64_t> Section::size(std::string_view key, std::uint64_t least,
                                           std::uint64_t most) const {
  const auto* const text = find<std::string>(key, "a string with a unit");
  if (text == nullptr) {
    return std::nullopt;
  }
  const auto size = parse_size(*text);
  if (!size) {
    wrong(key, ticked(key) + " is not a size: a number and one of B, KiB, MiB, GiB",
          write_instead(key, meant_size(*text)));
  } else if (*size < least || *size > most) {
    wrong(key, ticked(key) + " must be from " + size_text(least) + " to " + size_text(most));
  } else {
    return size;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Section::whole(std::string_view key, std::int64_t least,
                                           std::int64_t most) const {
  const auto* const number = find<std::int64_t>(key, "a whole number");
  if (number == nullptr) {
    return std::nullopt;
  }
  if (*number < least || *number > most) {
    wrong(key,
          ticked(key) + " must be from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return *number;
}

std::optional<double> Section::share(std::string_view key) const {
  const auto* const node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto* const fraction = std::get_if<double>(&node->value);
  const auto* const number = std::get_if<std::int64_t>(&node->value);
  if (fraction == nullptr && number == nullptr) {
    wrong(key, ticked(key) + " must be a number from 0 to 1");
    return std::nullopt;
  }
  const double share = fraction != nullptr ? *fraction : static_cast<double>(*number);
  if (!(share >= 0 && share <= 1)) {
    wrong(key, ticked(key) + " must be from 0 to 1");
    return std::nullopt;
  }
  return share;
}

std::optional<double> Section::number(std::string_view key) const {
  const auto* const node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto* const fraction = std::get_if<double>(&node->value);
  const auto* const whole = std::get_if<std::int64_t>(&node->value);
  const double number = fraction != nullptr ? *fraction
                        : whole != nullptr  ? static_cast<double>(*whole)
                                            : std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(number)) {
    wrong(key, ticked(key) + " must be a number");
    return std::nullopt;
  }
  return number;
}

std::optional<std::vector<std::string>> Section::texts(std::string_view key) const {
  const auto* const nodes = list(key);
  if (nodes == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const auto& node : *nodes) {
    if (auto text = text_of(*findings_, node, key, schema_->instruction(name_, key))) {
      texts.push_back(std::move(*text));
    }
  }
  return texts;
}

std::optional<std::size_t> Section::choice(std::string_view key,
                                           std::span<const std::string_view> words) const {
  const auto* const text = find<std::string>(key, "a string");
  if (text == nullptr) {
    return std::nullopt;
  }
  const auto word = std::find(words.begin(), words.end(), *text);
  if (word != words.end()) {
    return static_cast<std::size_t>(word - words.begin());
  }
  const auto meant = nearest(*text, words);
  wrong(key, ticked(key) + " cannot be \"" + excerpt(*text) + "\"",
        meant.empty() ? "write " + list_of(words, "\"")
                      : "did you mean \"" + std::string(meant) + "\"?");
  return std::nullopt;
}

std::optional<Section> Section::table(std::string_view key, std::string_view section) const {
  const auto* const table = find<TomlNode::Table>(key, "a table");
  return table == nullptr ? std::nullopt
                          : std::optional<Section>(std::in_place, *findings_, *schema_, section,
                                                   entry(key)->node);
}

std::optional<std::vector<Section>> Section::tables(std::string_view key,
                                                    std::string_view section) const {
  const auto* const nodes = find<TomlNode::List>(key, "a list of tables");
  if (nodes == nullptr) {
    return std::nullopt;
  }
  std::vector<Section> sections;
  for (const auto& node : *nodes) {
    if (std::holds_alternative<TomlNode::Table>(node.value)) {
      sections.emplace_back(*findings_, *schema_, section, node);
    } else {
      findings_->add(node.place, ticked(key) + " must hold nothing but tables",
                     schema_->instruction(name_, key));
    }
  }
  return sections;
}

const TomlNode::List* Section::list(std::string_view key) const {
  return find<TomlNode::List>(key, "a list");
}

const TomlNode::Table* Section::entries(std::string_view key) const {
  return find<TomlNode::Table>(key, "a table");
}

void Section::wrong(std::string_view key, std::string what, std::string suggestion) const {
  findings_->add(place_of(key), std::move(what),
                 suggestion.empty() ? schema_->instruction(name_, key) : std::move(suggestion));
}

void Section::finish() const {
  const auto known = schema_->key_names(name_);
  for (const auto& candidate : *table_) {
    if (std::find(known.begin(), known.end(), candidate.key) == known.end()) {
      const bool section =
          name_.empty() && (std::holds_alternative<TomlNode::Table>(candidate.node.value) ||
                            std::holds_alternative<TomlNode::List>(candidate.node.value));
      findings_->add(candidate.place,
                     (section ? "unknown section " : "unknown key ") + ticked(candidate.key),
                     findings_->full() ? "" : schema_->suggestion(name_, candidate.key));
    }
  }
  const auto last = name_.substr(name_.rfind('.') + 1);
  const auto where = last.size() == name_.size() ? schema_->section(name_).header() : ticked(last);
  for (const auto* key : schema_->keys(name_)) {
    if (key->required && lacks(key->name)) {
      findings_->add(place_, "no " + ticked(key->name) + " in " + where,
                     schema_->instruction(name_, key->name));
    }
  }
}

}  // namespace understudy::text
