/// A section of a file as a table of rows: each key once, with its kind, its member and its documentation.
///
/// Invariants
/// 1. One row is all that a key needs: it reads the key, and gives messages and documentation what they say of it.
/// 2. Defaults are taken from the value that a section begins as. No row repeats one that the member has.
/// 3. A kind is a type with `type()` and `bounds()`, in words; `read(section, key)`, which gives an optional value; and
///    `text(value)`, the value as TOML has it, or empty where that cannot be written.
///
///     const KeyTable<RetrySettings> keys(
///         SectionRow("retry", "How often a failed request is sent again."),
///         {Key<RetrySettings>("limit", Whole(0, 20), &RetrySettings::limit, "The most retries."),
///          Key<RetrySettings>("pause", Duration(), &RetrySettings::pause, "The wait before each.")
///              .alias("delay")});
///     keys.read(section, settings);
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "text/durations.hpp"
#include "text/section.hpp"
#include "text/sizes.hpp"
#include "text/suggestions.hpp"

namespace understudy::text {

// --- kinds of values ------------------------------------------------------------------------------

class Flag {
 public:
  std::string type() const { return "true or false"; }
  std::string bounds() const { return {}; }
  std::optional<bool> read(const Section& section, std::string_view key) const {
    return section.flag(key);
  }
  std::string text(bool value) const { return value ? "true" : "false"; }
};

class Duration {
 public:
  std::string type() const { return "duration"; }
  std::string bounds() const { return {}; }
  std::optional<std::chrono::nanoseconds> read(const Section& section, std::string_view key) const {
    return section.duration(key);
  }
  std::string text(std::chrono::nanoseconds value) const { return in_quotes(duration_text(value)); }
};

/// A duration, or "off", which is zero.
class DurationOrOff {
 public:
  std::string type() const { return R"(duration or `"off"`)"; }
  std::string bounds() const { return {}; }
  std::optional<std::chrono::nanoseconds> read(const Section& section, std::string_view key) const {
    return section.says(key, off) ? std::chrono::nanoseconds::zero() : section.duration(key);
  }
  std::string text(std::chrono::nanoseconds value) const {
    return in_quotes(value == value.zero() ? std::string(off) : duration_text(value));
  }

 private:
  static constexpr std::string_view off = "off";
};

/// A whole number within bounds.
class Whole {
 public:
  Whole(std::int64_t least, std::int64_t most) : least_(least), most_(most) {}

  std::string type() const { return "whole number"; }
  std::string bounds() const {
    return "from " + std::to_string(least_) + " to " + std::to_string(most_);
  }
  std::optional<std::int64_t> read(const Section& section, std::string_view key) const {
    return section.whole(key, least_, most_);
  }
  template <class Number>
  std::string text(Number value) const {
    return std::to_string(value);
  }

 private:
  std::int64_t least_;
  std::int64_t most_;
};

/// A number from 0 to 1.
class Share {
 public:
  std::string type() const { return "number"; }
  std::string bounds() const { return "from 0 to 1"; }
  std::optional<double> read(const Section& section, std::string_view key) const {
    return section.share(key);
  }
  std::string text(double value) const;
};

/// Any finite number.
class Number {
 public:
  std::string type() const { return "number"; }
  std::string bounds() const { return {}; }
  std::optional<double> read(const Section& section, std::string_view key) const {
    return section.number(key);
  }
  std::string text(double value) const;
};

class Strings {
 public:
  std::string type() const { return "list of strings"; }
  std::string bounds() const { return {}; }
  std::optional<std::vector<std::string>> read(const Section& section, std::string_view key) const {
    return section.texts(key);
  }
  std::string text(const std::vector<std::string>& value) const;
};

/// A number of bytes within bounds.
class Size {
 public:
  Size(std::uint64_t least, std::uint64_t most) : least_(least), most_(most) {}

  std::string type() const { return "size"; }
  std::string bounds() const { return "from " + size_text(least_) + " to " + size_text(most_); }
  std::optional<std::uint64_t> read(const Section& section, std::string_view key) const {
    return section.size(key, least_, most_);
  }
  std::string text(std::uint64_t value) const { return in_quotes(size_text(value)); }

 private:
  std::uint64_t least_;
  std::uint64_t most_;
};

class String {
 public:
  std::string type() const { return "string"; }
  std::string bounds() const { return {}; }
  std::optional<std::string> read(const Section& section, std::string_view key) const {
    return section.text(key);
  }
  std::string text(const std::string& value) const { return value.empty() ? "" : in_quotes(value); }
};

/// One of several words, each of which stands for a value.
template <class Value>
class Choice {
 public:
  Choice(std::initializer_list<std::pair<std::string_view, Value>> meanings) {
    for (const auto& [word, value] : meanings) {
      words_.push_back(word);
      values_.push_back(value);
    }
  }

  std::string type() const { return list_of_strings(words_); }
  std::string bounds() const { return {}; }
  std::optional<Value> read(const Section& section, std::string_view key) const {
    const auto index = section.choice(key, words_);
    return index ? std::optional(values_[*index]) : std::nullopt;
  }
  std::string text(Value value) const {
    const auto found = std::find(values_.begin(), values_.end(), value);
    return in_quotes(words_[static_cast<std::size_t>(found - values_.begin())]);
  }

 private:
  std::vector<std::string_view> words_;
  std::vector<Value> values_;
};

// --- rows -----------------------------------------------------------------------------------------

/// How a key is read that no kind fits: by a function, which is called also where the file has no such key.
template <class Target>
struct Special {
  std::string type;
  std::function<void(const Section&, Target&)> read;
  /// The default as it is written.
  std::function<std::string(const Target&)> text = [](const Target&) { return std::string(); };
};

/// A key of a section that is read into a Target.
template <class Target>
class Key {
 public:
  /// `member`: a pointer to a member, or a function that takes a Target& and gives a reference.
  template <class Kind, class Member>
  Key(std::string_view name, const Kind& kind, Member member, std::string documentation)
      : row(name, kind.type(), std::move(documentation)) {
    row.bounds = kind.bounds();
    read = [=](const Section& section, Target& target) {
      if (auto value = kind.read(section, name)) {
        store(std::invoke(member, target), std::move(*value));
      }
    };
    default_of = [=](const Target& target) {
      Target copy = target;
      return written(kind, std::invoke(member, copy));
    };
  }

  Key(std::string_view name, Special<Target> special, std::string documentation)
      : row(name, std::move(special.type), std::move(documentation)),
        read(std::move(special.read)),
        default_of(std::move(special.text)) {}

  /// The key must be there.
  Key& required() { return row.required = row.in_force = true, *this; }
  /// Example files have the key in force.
  Key& in_force() { return row.in_force = true, *this; }
  /// What other programs call it.
  Key& alias(std::string_view other) { return row.aliases.push_back(other), *this; }
  /// In place of the default: in messages, and in example files where there is no default.
  Key& example(std::string value) { return row.example = std::move(value), *this; }
  Key& long_example(std::string value) { return row.long_example = std::move(value), *this; }
  /// A near miss is answered with the example, not only with the name.
  Key& suggest_example() { return row.suggest_example = true, *this; }
  /// A default that the section's value does not hold.
  Key& default_value(std::string value) { return row.default_value = std::move(value), *this; }
  /// The default in words, as the end of "Default: ".
  Key& default_note(std::string words) { return row.default_note = std::move(words), *this; }

  KeyRow row;
  std::function<void(const Section&, Target&)> read;
  std::function<std::string(const Target&)> default_of;

 private:
  template <class Stored, class Value>
  static void store(std::optional<Stored>& member, Value&& value) {
    member = static_cast<Stored>(std::forward<Value>(value));
  }
  template <class Stored, class Value>
  static void store(Stored& member, Value&& value) {
    member = static_cast<Stored>(std::forward<Value>(value));
  }
  template <class Kind, class Stored>
  static std::string written(const Kind& kind, const std::optional<Stored>& member) {
    return member ? kind.text(*member) : "";
  }
  template <class Kind, class Stored>
  static std::string written(const Kind& kind, const Stored& member) {
    return kind.text(member);
  }
};

/// See the top of the file.
template <class Target>
class KeyTable {
 public:
  /// `standard`: what a section is read into, as it is before.
  KeyTable(SectionRow section, std::vector<Key<Target>> keys, const Target& standard = Target())
      : section_(std::move(section)), keys_(std::move(keys)) {
    for (const auto& key : keys_) {
      auto& row = section_.keys.emplace_back(key.row);
      if (row.default_value.empty()) {
        row.default_value = key.default_of(standard);
      }
      if (row.example.empty()) {
        row.example = row.default_value;
      }
    }
  }

  const SectionRow& section() const noexcept { return section_; }

  /// Reads each key, in the order of the rows. The caller calls `Section::finish`.
  void read(const Section& section, Target& target) const {
    for (const auto& key : keys_) {
      key.read(section, target);
    }
  }

 private:
  SectionRow section_;
  std::vector<Key<Target>> keys_;
};

}  // namespace understudy::text
