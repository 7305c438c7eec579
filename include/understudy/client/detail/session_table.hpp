/// Values by a hash of 128 bits; the least recently used are forgotten.
///
/// Invariants
/// 1. At most `most` values are kept, and none that was not used for `lifetime`.
/// 2. To find a value touches two places in memory: a slot, and the entry that it names.
///
///     understudy::detail::SessionTable<SessionHash, int> table(100'000, 1h);
///     table.at(hash, now) = 7;
///     assert(*table.find(hash, now) == 7);
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "understudy/runtime/clock.hpp"

namespace understudy::detail {

/// See the top of the file. `Hash` is compared, and its `low` is spread evenly. Not for several threads at once.
template <class Hash, class Value>
class SessionTable {
 public:
  SessionTable(std::size_t most, Clock::duration lifetime) : most_(most), lifetime_(lifetime) {}

  /// Returns the value, or null. It is valid until the next call of `at`.
  Value* find(const Hash& hash, Clock::time_point now) {
    const auto at = slots_.empty() ? none : slots_[slot_of(hash)];
    return at == none || now - entries_[at].used > lifetime_ ? nullptr : &entries_[at].value;
  }

  /// Returns the value, a new one if there is none, which counts as used now.
  Value& at(const Hash& hash, Clock::time_point now) {
    if (find(hash, now) == nullptr) {
      make_room(hash, now);
      const auto place = place_for_one();
      entries_[place] = Entry{hash, now, none, none, Value()};
      slots_[slot_of(hash)] = place;
      push_front(place);
      ++size_;
    }
    const auto place = slots_[slot_of(hash)];
    entries_[place].used = now;
    unlink(place);
    push_front(place);
    return entries_[place].value;
  }

  std::size_t size() const noexcept { return size_; }

 private:
  using Place = std::uint32_t;  // of an entry
  static constexpr Place none = UINT32_MAX;

  struct Entry {
    Hash hash;
    Clock::time_point used;
    Place newer = none;
    Place older = none;
    Value value;
  };

  /// The slot that names the entry of the hash, or the empty one where it would be.
  std::size_t slot_of(const Hash& hash) const {
    const auto mask = slots_.size() - 1;
    auto slot = static_cast<std::size_t>(hash.low) & mask;
    while (slots_[slot] != none && !(entries_[slots_[slot]].hash == hash)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /// Forgets what is too old, the entry of this hash if it is, and one more if the table is full.
  void make_room(const Hash& hash, Clock::time_point now) {
    if (!slots_.empty() && slots_[slot_of(hash)] != none) {
      forget(slots_[slot_of(hash)]);
    }
    while (size_ > 0 && (size_ >= most_ || now - entries_[oldest_].used > lifetime_)) {
      forget(oldest_);
    }
    if (2 * (size_ + 1) > slots_.size()) {
      constexpr std::size_t fewest = 64;
      slots_.assign(slots_.empty() ? fewest : 2 * slots_.size(), none);
      for (auto place = newest_; place != none; place = entries_[place].older) {
        slots_[slot_of(entries_[place].hash)] = place;
      }
    }
  }

  Place place_for_one() {
    if (!free_.empty()) {
      const auto place = free_.back();
      free_.pop_back();
      return place;
    }
    entries_.emplace_back();
    return static_cast<Place>(entries_.size() - 1);
  }

  /// The slots behind the freed one move up where they would no longer be found.
  void forget(Place place) {
    const auto mask = slots_.size() - 1;
    auto gap = slot_of(entries_[place].hash);
    for (auto next = (gap + 1) & mask; slots_[next] != none; next = (next + 1) & mask) {
      const auto wanted = static_cast<std::size_t>(entries_[slots_[next]].hash.low) & mask;
      if (((next - wanted) & mask) >= ((next - gap) & mask)) {
        slots_[gap] = slots_[next];
        gap = next;
      }
    }
    slots_[gap] = none;
    unlink(place);
    entries_[place] = Entry();
    free_.push_back(place);
    --size_;
  }

  void unlink(Place place) {
    const auto& entry = entries_[place];
    (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
    (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
  }

  void push_front(Place place) {
    entries_[place].newer = none;
    entries_[place].older = newest_;
    (newest_ == none ? oldest_ : entries_[newest_].newer) = place;
    newest_ = place;
  }

  std::size_t most_;
  Clock::duration lifetime_;
  std::vector<Place> slots_;  // a power of two of them, at most half of them used
  std::vector<Entry> entries_;
  std::vector<Place> free_;
  Place newest_ = none;
  Place oldest_ = none;
  std::size_t size_ = 0;
};

}  // namespace understudy::detail
