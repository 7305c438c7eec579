/// A section of the file as typed values. What is wrong is noted, with its place, and reading goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config_document.hpp"
#include "understudy/client/config.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// What was found to be wrong.
class Findings {
 public:
  /// Of a file full of mistakes this many are told.
  static constexpr std::size_t most = 200;

  void add(ConfigPlace place, std::string what, std::string suggestion);
  bool empty() const noexcept { return errors_.empty(); }
  bool full() const noexcept { return errors_.size() == most; }
  /// In the file's order.
  std::vector<ConfigError> take();

 private:
  std::vector<ConfigError> errors_;
  std::size_t more_ = 0;
};

/// The text of a value that `name` stands for: not empty, without control characters.
std::optional<std::string> text_of(Findings& findings, const ConfigNode& node,
                                   std::string_view name, std::string_view suggestion);

/// A table of the file, whose keys are those of `name` in the table of keys. Each getter marks its key as
/// known, and gives nothing where the file has no such key or a wrong value, which it notes; no note
/// quotes a value, but a word that is none of those to choose from.
class Section {
 public:
  Section(Findings& findings, std::string_view name, const ConfigNode& node);

  bool has(std::string_view key) const { return entry(key) != nullptr; }
  /// Whether it is not there, under a misspelt name neither.
  bool lacks(std::string_view key) const;
  /// Of the value; where the file has no such key, of the section.
  ConfigPlace place_of(std::string_view key) const;
  ConfigPlace place() const noexcept { return place_; }
  Findings& findings() const noexcept { return *findings_; }

  std::optional<bool> flag(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  /// Whether the value is that very text.
  bool says(std::string_view key, std::string_view word);
  std::optional<Clock::duration> duration(std::string_view key);
  std::optional<std::uint64_t> size(std::string_view key, std::uint64_t least, std::uint64_t most);
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> share(std::string_view key);
  /// The index of the word.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string_view> words);
  std::optional<Section> table(std::string_view key, std::string_view section);
  /// Only those that are tables; nothing if it is no list.
  std::optional<std::vector<Section>> tables(std::string_view key, std::string_view section);
  const ConfigNode::List* list(std::string_view key);
  /// The entries of a table whose keys are the user's own.
  const ConfigNode::Table* entries(std::string_view key);

  /// The key must be there.
  void require(std::string_view key) { required_.push_back(key); }
  /// A note at the value. Without a suggestion: an example.
  void wrong(std::string_view key, std::string what, std::string suggestion = {}) const;
  /// Notes what was never asked for, and what is required and not there, misspelt ones once. To be called
  /// last.
  void finish() const;

 private:
  const ConfigNode::Entry* entry(std::string_view key) const;
  const ConfigNode* find(std::string_view key);
  template <class T>
  const T* find(std::string_view key, std::string_view kind);

  Findings* findings_;
  std::string_view name_;
  const ConfigNode::Table* table_;
  ConfigPlace place_;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> required_;
};

}  // namespace understudy::detail
