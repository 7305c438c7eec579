/// Carries sealed reasoning of one maker through a client that speaks another maker's protocol, or that expects a seal
/// where there is none.
///
/// Clients send certain fields back unread: Anthropic's `signature`, Responses' `encrypted_content`. A carrier is the
/// value of such a field: `us1.` HEADER `.` ORIGINAL. The header is base64url of a JSON object that says where the
/// original is from; the original follows as it is. So the original can be restored for its maker, and removed for
/// everyone else, without any state.
///
/// Invariants
/// 1. A carrier is input from a client: any bytes may be read, every length is bounded, and nothing in it decides which
///    provider is asked.
/// 2. `us1` is the version. A reader accepts its own version only; members of the header that it does not know are
///    ignored.
/// 3. What `write_carrier` returns, `read_carrier` reads as the same value.
///
///     Carrier carrier;
///     carrier.provider = "deepseek";
///     carrier.kind = CarrierKind::unsigned_thinking;
///     const auto text = write_carrier(carrier);
///     const auto read = read_carrier(*text);  // read.carrier->provider == "deepseek"
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/reasoning_origin.hpp"

namespace understudy::llm {

/// The longest original that is carried, in bytes. Anthropic's signatures are some hundred bytes long, encrypted
/// content is some kilobytes.
inline constexpr std::size_t longest_original = std::size_t{32} * 1024;

/// The longest name in a header, and the size of an account's hash, in bytes.
inline constexpr std::size_t longest_carrier_name = 256;
inline constexpr std::size_t account_hash_size = 16;

/// What the original of a carrier is.
enum class CarrierKind : unsigned char {
  signature,  ///< Anthropic's, of the readable thinking beside the carrier
  thinking,   ///< a block of Anthropic's thinking, as JSON
  redacted,   ///< the data of Anthropic's redacted thinking
  encrypted,  ///< the encrypted content of a Responses item
  detail,     ///< an element of OpenRouter's `reasoning_details`, as JSON without its readable text
  call_signature,     ///< Gemini's thought signature, of the tool call that follows
  unsigned_thinking,  ///< empty: the maker sends no seal, and takes none back
};

/// Where a seal is from, and the seal. Unknown values are empty. See reasoning_origin.hpp for the first four.
class Carrier {
 public:
  Carrier() {}
  Carrier(CarrierKind k, const ReasoningOrigin& from, std::string_view seal)
      : maker(from.maker),
        provider(from.provider),
        model(from.model),
        account(from.account),
        kind(k),
        original(seal) {}

  /// Where the reasoning came from, without the rest.
  ReasoningOrigin origin() const;

  std::string maker;
  std::string provider;
  std::string model;
  std::string account;  ///< a hash of `account_hash_size` bytes, or empty
  CarrierKind kind = CarrierKind::signature;
  std::string original;

  bool operator==(const Carrier&) const = default;
};

/// A carrier, or why the text is none.
class ReadCarrier {
 public:
  explicit ReadCarrier(Carrier c) : carrier(std::move(c)) {}
  explicit ReadCarrier(const char* w) : why(w) {}

  std::optional<Carrier> carrier;
  const char* why = nullptr;  ///< lives as long as the program
};

/// Returns the text, or nothing if a name, the hash or the original exceeds its bound, or if a name is not valid UTF-8.
/// Threads: any.
UNDERSTUDY_API std::optional<std::string> write_carrier(const Carrier& carrier);

/// Returns the text. What no carrier can hold becomes a carrier that no member can read, which stands for reasoning that
/// was there. Threads: any.
UNDERSTUDY_API std::string carrier_text(const Carrier& carrier);

/// Reads a carrier. Any bytes are valid input. Threads: any.
UNDERSTUDY_API ReadCarrier read_carrier(std::string_view text);

/// Whether `reader` can read what the carrier holds. Threads: any.
UNDERSTUDY_API bool reads(const ReasoningOrigin& reader, const Carrier& carrier) noexcept;

/// Returns whether the text claims to be a carrier, of any version. Such text must not be sent to a provider.
UNDERSTUDY_API bool is_carrier(std::string_view text) noexcept;

}  // namespace understudy::llm
