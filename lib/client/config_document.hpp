/// The text of a configuration as a tree of values, each with its place, in the file's order.
///
/// toml++ is seen by one source file alone; what comes out of here is plain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "understudy/client/config.hpp"

namespace understudy::detail {

class ConfigNode {
 public:
  struct Entry;
  using List = std::vector<ConfigNode>;
  using Table = std::vector<Entry>;
  struct Other {};  ///< a date or a time: no key takes one

  ConfigPlace place;
  std::variant<Other, bool, std::int64_t, double, std::string, List, Table> value;
};

struct ConfigNode::Entry {
  std::string key;
  ConfigPlace place;
  ConfigNode node;
};

/// The root table, or the first error of syntax, whose text quotes nothing of the file: it may be a secret.
std::variant<ConfigNode, ConfigError> parse_document(std::string_view text);

}  // namespace understudy::detail
