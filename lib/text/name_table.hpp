/// Names that come from outside, numbered as they come: each is looked up at once, however many there are.
///
/// Flat, with a keyed hash. (The nodes of std::unordered_map lie scattered once the heap was used; with some 10,000
/// of them twice as many cost 2.6 times as much.)
///
///     NameTable<std::string> table(hash);
///     const auto [number, fresh] = table.add("call_1");
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "keyed_hash.hpp"

namespace understudy::text {

template <class Name>
class NameTable {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// `expected` names: to begin with.
  explicit NameTable(const KeyedHash& hash, std::size_t expected = 0)
      : hash_(hash), slots_(expected == 0 ? 0 : std::bit_ceil(2 * expected + 2)) {}

  /// The name's number, and whether it is new: then it is the number of names before it.
  std::pair<std::size_t, bool> add(std::string_view name) {
    if (2 * (names_.size() + 1) > slots_.size()) {
      grow();
    }
    const auto hash = part_of(hash_(name));
    auto& slot = slots_[place_of(hash, name)];
    if (slot.number != free) {
      return {slot.number, false};
    }
    slot = {hash, part_of(names_.size())};
    names_.emplace_back(name);
    return {slot.number, true};
  }

  /// `none`: it was not added.
  std::size_t find(std::string_view name) const {
    const auto number = slots_.empty() ? free : slots_[place_of(part_of(hash_(name)), name)].number;
    return number == free ? none : number;
  }

 private:
  static constexpr std::uint32_t free = static_cast<std::uint32_t>(-1);

  struct Slot {  // small: these are what is accessed at random
    std::uint32_t hash = 0;
    std::uint32_t number = free;
  };

  static std::uint32_t part_of(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

  /// Where it is, or belongs. There are always free ones.
  std::size_t place_of(std::uint32_t hash, std::string_view name) const {
    const auto mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].number != free &&
           (slots_[at].hash != hash || names_[slots_[at].number] != name)) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void grow() {
    constexpr std::size_t fewest = 16;
    auto old = std::exchange(slots_, {});
    slots_.resize(old.empty() ? fewest : 2 * old.size());
    const auto mask = slots_.size() - 1;
    for (const auto& slot : old) {
      if (slot.number != free) {
        auto at = slot.hash & mask;
        while (slots_[at].number != free) {
          at = (at + 1) & mask;
        }
        slots_[at] = slot;
      }
    }
  }

  KeyedHash hash_;
  std::vector<Name> names_;
  std::vector<Slot> slots_;  // a power of two of them, at most half of them taken
};

}  // namespace understudy::text
