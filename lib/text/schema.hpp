/// The sections and keys that a kind of TOML file may have: what messages and documentation say of them.
///
/// Invariants
/// 1. A section's name is its path: "stall", "server.tls", "providers.NAME" where the user chooses the name. The
///    file itself is the section "", whose keys are the sections at the top; their rows are made from these.
/// 2. A key that is not in the schema is an error, and the schema says what was probably meant.
/// 3. Immutable; any thread.
///
///     KeyRow level("level", "\"debug\" or \"info\"", "The least severe messages that are written.");
///     level.example = "\"info\"";
///     const Schema schema({SectionRow("log", "What is logged.", {level})});
///     schema.suggestion("log", "levle");  // "did you mean `level`?"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::text {

/// All that is said of a key. Values are as they are written in TOML, with their quotes.
class KeyRow {
 public:
  KeyRow(std::string_view key, std::string kind, std::string text)
      : name(key), type(std::move(kind)), documentation(std::move(text)) {}

  std::string_view name;
  std::string type;    ///< in words: "duration"
  std::string bounds;  ///< "from 0 to 20"; empty: none
  /// Whole sentences, with code in backticks.
  std::string documentation;
  std::string default_value;  ///< empty: there is none, or only words can say it
  std::string default_note;   ///< in words: "the preset's"
  std::string example;        ///< a value, for messages
  std::string long_example;   ///< a value that shows more, for example files; empty: `example`
  std::vector<std::string_view>
      aliases;  ///< what other programs call it: not accepted, but understood
  bool required = false;
  bool in_force = false;         ///< example files have it in force, not commented out
  bool suggest_example = false;  ///< a misspelt key is answered with the example
};

class SectionRow {
 public:
  SectionRow(std::string_view path, std::string text, std::vector<KeyRow> rows = {})
      : name(path), documentation(std::move(text)), keys(std::move(rows)) {}

  SectionRow& with_alias(std::string_view other) { return aliases.push_back(other), *this; }
  /// The keys of that section may be in this one too, before its own.
  SectionRow& with_keys_of(std::string_view other) { return includes = other, *this; }
  /// A list of tables: `[[name]]`.
  SectionRow& as_list() { return is_list = true, *this; }
  /// Its header in example files. Sections without one are written there as values of a key.
  SectionRow& with_header(std::string_view text) { return example_header = text, *this; }

  /// "[stall]", "[[routes]]".
  std::string header() const;

  std::string_view name;
  std::string documentation;
  std::vector<KeyRow> keys;
  std::vector<std::string_view> aliases;
  std::string_view includes;
  std::string_view example_header;
  bool is_list = false;
};

/// See the top of the file.
class Schema {
 public:
  explicit Schema(std::vector<SectionRow> sections);

  /// In the order in which they were given, after the file itself.
  const std::vector<SectionRow>& sections() const noexcept { return sections_; }

  /// Throws std::logic_error if there is none: the reader asks for a key that is not documented.
  const SectionRow& section(std::string_view name) const;
  const KeyRow& key(std::string_view section, std::string_view key) const;

  /// The keys that a section may have, those of the section that it includes first.
  std::vector<const KeyRow*> keys(std::string_view section) const;
  std::vector<std::string_view> key_names(std::string_view section) const;

  /// The key that was probably meant by one that the section does not have. Empty if it cannot be guessed.
  std::string_view meant(std::string_view section, std::string_view written) const;

  /// What to write instead of such a key.
  std::string suggestion(std::string_view section, std::string_view written) const;

  /// How a key is written: "write stale = "180s"", or a section and its keys.
  std::string instruction(std::string_view section, std::string_view key) const;

 private:
  const KeyRow* find(std::string_view section, std::string_view key) const;

  std::vector<SectionRow> sections_;
};

}  // namespace understudy::text
