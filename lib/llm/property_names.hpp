/// The properties of a tool's arguments whose names a back end refuses: what they are sent as, and what they stand for.
///
/// Invariants
/// 1. Each name that is sent stands for one property of the tool, and no accepted name of the tool is one of them.
/// 2. The same schema gives the same names, so the prefix of a conversation stays the same.
/// 3. Everything is linear in the text that is read. Any bytes are valid input; what is not JSON is passed on as it is.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/name_table.hpp"

namespace understudy::llm::detail {

/// What a back end accepts: letters, digits and these characters.
class PropertyRule {
 public:
  std::size_t longest = 0;  ///< 0: any name
  std::string characters;

  bool accepts(std::string_view name) const;
};

class PropertyNames {
 public:
  /// The schema as it is sent; empty if nothing in it is renamed. Then `names` is null.
  struct Sent {
    std::string schema;
    std::shared_ptr<const PropertyNames> names;
  };
  static Sent of(std::string_view schema, const PropertyRule& rule);

  /// Null: the name stands for itself.
  const std::string* sent_for(std::string_view clients) const;
  const std::string* clients_for(std::string_view sent) const;

  /// The arguments of a call of the history, as they are sent.
  std::string arguments_sent(std::string_view json) const;

  std::size_t longest() const noexcept { return longest_; }

 private:
  text::NameTable<std::string> by_client_{text::KeyedHash()};
  text::NameTable<std::string> by_sent_{text::KeyedHash()};
  std::vector<std::string> clients_;  // both of each number
  std::vector<std::string> sent_;
  std::size_t longest_ = 0;  // name of either kind, in bytes
};

/// Renames the keys of the objects in JSON text as it comes, at any depth.
///
/// What `add` and `end` return, concatenated, does not depend on how the text is cut into pieces.
class KeyRenamer {
 public:
  enum class Direction : unsigned char { to_client, to_provider };

  KeyRenamer(std::shared_ptr<const PropertyNames> names, Direction direction);

  /// For another text, from its beginning.
  KeyRenamer fresh() const { return {names_, direction_}; }

  /// Returns what the next piece adds. Valid until the next call.
  std::string_view add(std::string_view json);
  /// Returns the rest, after the last piece.
  std::string_view end();

 private:
  enum class State : unsigned char {
    between,  // strings
    key,
    text,  // a string that is not renamed
    raw,   // nested too deeply: nothing is renamed any more
  };

  std::size_t between(std::string_view json, std::size_t at);
  std::size_t in_key(std::string_view json, std::size_t at);
  std::size_t in_text(std::string_view json, std::size_t at);
  void settle_key();

  std::shared_ptr<const PropertyNames> names_;
  Direction direction_;
  State state_ = State::between;
  bool escape_ = false;        // the next character is one that a backslash precedes
  bool wants_key_ = false;     // the next string is a key
  std::vector<bool> objects_;  // of the values that are open: whether it is an object
  std::string key_;            // as it is written so far, with its first quote
  std::string out_;
};

}  // namespace understudy::llm::detail
