/// A TOML text as a tree of values, each with its place, in the text's order.
///
/// Invariants
/// 1. The library behind it (toml++) is seen by one source file alone; what comes out of here is plain.
/// 2. Safe for any bytes: depth and number of entries are bounded before toml++ sees the text.
/// 3. An error of syntax quotes nothing of the text, which may be a secret.
///
///     auto parsed = parse_toml("[stall]\nstale = \"180s\"\n");
///     const auto& root = std::get<TomlNode::Table>(std::get<TomlNode>(parsed).value);
///     root[0].key;  // "stall"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/text/source_errors.hpp"

namespace understudy::text {

class TomlNode {
 public:
  struct Entry;
  using List = std::vector<TomlNode>;
  using Table = std::vector<Entry>;
  struct Other {};  ///< a date or a time

  SourcePlace place;
  std::variant<Other, bool, std::int64_t, double, std::string, List, Table> value;
};

struct TomlNode::Entry {
  std::string key;
  SourcePlace place;
  TomlNode node;
};

/// The root table, or the first error of syntax.
UNDERSTUDY_API std::variant<TomlNode, SourceError> parse_toml(std::string_view text);

}  // namespace understudy::text
