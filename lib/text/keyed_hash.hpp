/// Hashes for tables whose keys come from outside.
///
/// std::hash is the same for everyone, so a client can choose keys that all collide, and a table of them takes
/// quadratic time. This is SipHash-1-3 under a key that is drawn anew for each table's owner.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace understudy::text {

class KeyedHash {
 public:
  KeyedHash() : KeyedHash(drawn(), drawn()) {}

  /// Under a key that is known: a digest that must be the same every time. To find many texts that share one still
  /// takes about as many tries as there are digests.
  constexpr KeyedHash(std::uint64_t first, std::uint64_t second) : key_{first, second} {}

  std::uint64_t operator()(std::string_view text) const noexcept {
    State state{key_[0] ^ 0x736f6d6570736575U, key_[1] ^ 0x646f72616e646f6dU,
                key_[0] ^ 0x6c7967656e657261U, key_[1] ^ 0x7465646279746573U};
    const auto size = text.size();
    for (; text.size() >= 8; text.remove_prefix(8)) {
      state.take(word(text.substr(0, 8)));
    }
    state.take(word(text) | std::uint64_t{size} << 56U);
    return state.end();
  }

 private:
  struct State {
    std::uint64_t a, b, c, d;

    void round() noexcept {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
    void take(std::uint64_t word) noexcept {
      d ^= word;
      round();
      a ^= word;
    }
    std::uint64_t end() noexcept {
      c ^= 0xffU;
      round();
      round();
      round();
      return a ^ b ^ c ^ d;
    }
  };

  /// At most 8 bytes.
  static std::uint64_t word(std::string_view bytes) noexcept {
    std::uint64_t value = 0;
    if (!bytes.empty()) {  // an empty view may have no data, which memcpy does not allow
      std::memcpy(&value, bytes.data(), bytes.size());
    }
    return value;
  }
  static std::uint64_t drawn() {
    std::random_device random;
    return std::uint64_t{random()} << 32U | random();
  }

  std::uint64_t key_[2];
};

}  // namespace understudy::text
