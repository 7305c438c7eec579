/// The doubles' own signatures and ids: what they issued can be told from everything else without any state.
///
/// A seal is `sig_BACKEND~MODEL~ACCOUNT~PREFIX~TEXT~CHECK`: digests of the account, of what preceded the answer and of
/// the thinking text, or "any"; and a checksum of all of it. Ids of calls and items end in a checksum too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::testing::strict {

class Asked;

/// 16 hexadecimal digits. Not secret: anyone may forge a seal.
std::string digest(std::string_view text);

struct Seal {
  static constexpr std::string_view any = "any";

  std::string backend;
  std::string model;  ///< normalized
  std::string account = std::string(any);
  std::string prefix = std::string(any);
  std::string text = std::string(any);

  std::string write() const;
  /// Nothing if it was not issued by a double, or was altered.
  static std::optional<Seal> read(std::string_view seal);
};

inline bool agrees(std::string_view sealed, std::string_view actual) {
  return sealed == Seal::any || sealed == actual;
}

/// Digests of what precedes answers: system prompt, tools and all earlier messages, without what clients change from
/// turn to turn (cache_control; Claude Code's billing text; ids and status of items).
struct Prefixes {
  std::vector<std::string>
      of;  ///< for each of Asked::said: before the answer that it is part of; empty if of none
  std::string next;  ///< before the answer to this request
};
Prefixes prefixes_of(const Asked& asked);

/// The id of a tool call: `PREFIX`, the digest of the reasoning that led to it, digits of the back end and of `number`, a
/// checksum. 37 characters with the prefix "call_".
std::string call_id(std::string_view prefix, std::string_view backend, std::string_view reasoning,
                    std::uint64_t number);
/// The digest of the reasoning; nothing if the id is foreign, also another back end's.
std::optional<std::string> reasoning_digest(std::string_view call_id, std::string_view backend);

/// The id of an item, which says whether it is stored.
std::string item_id(std::string_view prefix, bool stored, std::uint64_t number);
bool is_stored_item(std::string_view id);

}  // namespace understudy::testing::strict
