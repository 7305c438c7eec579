/// A section of a TOML file as typed values. What is wrong is noted, with its place, and reading goes on.
///
/// Invariants
/// 1. A getter of an absent key gives nothing and notes nothing; one of a wrong value gives nothing and notes what is
///    wrong, where, and what to write instead.
/// 2. No note quotes a value, except a word that is not one of those to choose from: values may be secrets.
/// 3. Asking for a key that the schema does not have is a bug (std::logic_error).
///
///     Findings findings;
///     Section root(findings, schema, "", document);
///     if (auto log = root.table("log", "log")) {
///       prompts = log->flag("prompts").value_or(false);
///       log->finish();
///     }
///     root.finish();
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/schema.hpp"
#include "text/toml.hpp"

namespace understudy::text {

/// What was found to be wrong.
class Findings {
 public:
  /// Of a file full of mistakes this many are reported.
  static constexpr std::size_t most = 200;

  void add(SourcePlace place, std::string what, std::string suggestion);
  bool empty() const noexcept { return errors_.empty(); }
  bool full() const noexcept { return errors_.size() == most; }
  /// In the file's order.
  std::vector<SourceError> take();

 private:
  std::vector<SourceError> errors_;
  std::size_t more_ = 0;
};

/// The text of a value that `name` stands for: not empty, without control characters.
std::optional<std::string> text_of(Findings& findings, const TomlNode& node, std::string_view name,
                                   std::string_view suggestion);

/// A table of the file. Findings, schema and document must outlive it.
class Section {
 public:
  /// `name`: of the section in the schema. `node` holds a table.
  Section(Findings& findings, const Schema& schema, std::string_view name, const TomlNode& node);

  bool has(std::string_view key) const { return entry(key) != nullptr; }
  /// Whether the key is absent, and not just misspelt.
  bool lacks(std::string_view key) const;
  /// Of the value; where the file has no such key, of the section.
  SourcePlace place_of(std::string_view key) const;
  SourcePlace place() const noexcept { return place_; }
  Findings& findings() const noexcept { return *findings_; }
  const Schema& schema() const noexcept { return *schema_; }

  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  /// Whether the value is that very text.
  bool says(std::string_view key, std::string_view word) const;
  std::optional<std::chrono::nanoseconds> duration(std::string_view key) const;
  std::optional<std::uint64_t> size(std::string_view key, std::uint64_t least,
                                    std::uint64_t most) const;
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least,
                                    std::int64_t most) const;
  /// A number from 0 to 1.
  std::optional<double> share(std::string_view key) const;
  /// Any finite number.
  std::optional<double> number(std::string_view key) const;
  /// A list of strings, none of them empty.
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  /// The index of the word.
  std::optional<std::size_t> choice(std::string_view key,
                                    std::span<const std::string_view> words) const;
  /// The value as a table, which is a section of that name in the schema.
  std::optional<Section> table(std::string_view key, std::string_view section) const;
  /// The elements that are tables; nothing if the value is not a list.
  std::optional<std::vector<Section>> tables(std::string_view key, std::string_view section) const;
  /// The elements of a list, or null.
  const TomlNode::List* list(std::string_view key) const;
  /// The entries of a table whose keys are the user's own, or null.
  const TomlNode::Table* entries(std::string_view key) const;

  /// A note at the value. Without a suggestion: how the key is written.
  void wrong(std::string_view key, std::string what, std::string suggestion = {}) const;
  /// Notes keys that the schema does not have, and required ones that are absent; a misspelt key only once.
  void finish() const;

 private:
  const TomlNode::Entry* entry(std::string_view key) const;
  const TomlNode* find(std::string_view key) const;
  template <class T>
  const T* find(std::string_view key, std::string_view kind) const;

  Findings* findings_;
  const Schema* schema_;
  std::string_view name_;
  const TomlNode::Table* table_;
  SourcePlace place_;
};

}  // namespace understudy::text
