/// The reasons of failed attempts, which determine what happens next.
///
/// Invariants
/// 1. Every reason has exactly one row in `traits`: its name, its treatment, what it concerns, and how
///    long that is in cooldown. Nothing else in the library switches over reasons.
/// 2. A stop (`StopReason`) and a lack of local resources (`LocalFault`) are not reasons: they never lead to a
///    failover.
/// 3. Zero is not a reason, as error_code requires.
///
///     error_code code = FailoverReason::timeout;
///     assert(code == Treatment::stall);             // an error condition: the row it belongs to
///     assert(code == std::errc::timed_out);
///     assert(reason_from("rate_limit") == FailoverReason::rate_limit);
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/error_condition.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "understudy/export.hpp"

namespace understudy {

using boost::system::error_code;

/// Why an attempt has failed. Values of one error category, `failover_category()`.
enum class FailoverReason {
  timeout = 1,                          ///< a limit on progress expired; 408, 504, 522, 524
  connection,                           ///< refused, reset, DNS, transient TLS, transport dead
  stale_connection,                     ///< a reused connection closed before the request arrived
  rate_limit,                           ///< this credential has used up its share for now
  upstream_rate_limit,                  ///< the provider behind an aggregator is throttled
  overloaded,                           ///< the provider has no capacity
  upstream_blocked,                     ///< a 403 written by a CDN or firewall, not by the provider
  billing,                              ///< the account has no money or quota left
  auth,                                 ///< the credential was refused
  auth_permanent,                       ///< the credential was refused permanently
  server_error,                         ///< the provider failed
  malformed_response,                   ///< empty, invalid, or ended without a terminal event
  incomplete_response,                  ///< ended properly, without an answer
  unknown,                              ///< no rule matches
  model_not_found,                      ///< the provider has no such model
  model_entitlement,                    ///< this credential may not use the model
  provider_policy_blocked,              ///< an account setting excludes every upstream
  ssl_cert_verification,                ///< the certificate is not valid for the host
  long_context_tier,                    ///< the account has no long context
  role_alternation,                     ///< a chat template refuses the order of the messages
  unsupported_request,                  ///< the request needs something that this member lacks
  context_overflow,                     ///< the prompt does not fit the window
  payload_too_large,                    ///< the request has too many bytes
  thinking_signature,                   ///< replayed reasoning is not accepted
  invalid_encrypted_content,            ///< replayed encrypted reasoning is not accepted
  reasoning_mandatory,                  ///< the model does not work without reasoning
  multimodal_tool_content_unsupported,  ///< no images in tool results
  llama_cpp_grammar_pattern,            ///< a tool schema's pattern is not understood
  oauth_long_context_beta_forbidden,    ///< the account may not send the long context header
  image_too_large,                      ///< an image has too many bytes or pixels
  image_corrupt,                        ///< an image cannot be read
  resume_mismatch,  ///< the member was asked to resume a broken answer and sent something else
  content_policy_blocked,  ///< the prompt or the answer was refused as unsafe
  format_error,            ///< the request is invalid for every member
};

/// The number of reasons; values are 1 to this.
inline constexpr std::size_t reason_count = static_cast<std::size_t>(FailoverReason::format_error);

/// The treatment of a reason: the rows of the policy's table (policy.hpp). An error condition, so that code
/// may ask for a whole row: `code == Treatment::mend`.
enum class Treatment {
  stall = 1,         ///< fail over at once, or retry, depending on `eager_on_timeout`
  connection,        ///< one quick retry if it failed fast, then fail over
  resend,            ///< again at once on a fresh connection, once, then fail over
  limit,             ///< another credential, or a short wait, else fail over
  busy,              ///< fail over at once; on the last member backoff
  rotate,            ///< another credential, else fail over
  refresh,           ///< refresh the credential, then rotate, else fail over
  retry_once,        ///< one retry with backoff, then fail over
  another_way,       ///< ask the same member in the way that the failure names, else fail over
  fail_over,         ///< fail over at once
  larger_window,     ///< fail over to a member with a larger window, else return
  mend,              ///< mend the request once, else fail over
  content_policy,    ///< return to the caller, or fail over, depending on `on_content_policy`
  return_to_caller,  ///< no other member could do better
};

/// What a failure concerns, and therefore what enters cooldown.
enum class Concern : unsigned char {
  nothing,           ///< only the request, or nothing
  credential,        ///< the credential, for every model
  credential_model,  ///< the credential for this model
  endpoint,          ///< host and port, for every model and credential
  member,            ///< this model at this provider
};

/// The first cooldown and its growth (health.hpp has the numbers).
enum class CooldownLadder : unsigned char { none, limit, stall, brief };

/// One reason's row.
struct ReasonTraits {
  FailoverReason reason;
  std::string_view name;  ///< as in reports, logs and configuration
  Treatment treatment;
  Concern concern;
  CooldownLadder ladder;
};

/// All rows, in the enumerators' order.
UNDERSTUDY_API std::span<const ReasonTraits> all_reasons() noexcept;

/// The row of a reason. The reason must be one of the enumerators.
UNDERSTUDY_API const ReasonTraits& traits(FailoverReason reason) noexcept;

/// The reason's name, as in configurations and reports.
UNDERSTUDY_API std::string_view to_string(FailoverReason reason) noexcept;
/// The treatment's name, as in configurations.
UNDERSTUDY_API std::string_view to_string(Treatment treatment) noexcept;

/// The reason of that name, exactly as written, or nothing.
UNDERSTUDY_API std::optional<FailoverReason> reason_from(std::string_view name) noexcept;

/// The reason that a code stands for, or nothing if it is of another category.
UNDERSTUDY_API std::optional<FailoverReason> reason_of(const error_code& code) noexcept;

/// Codes of this category are equivalent to their Treatment, and to the corresponding standard error condition if there
/// is one: timeout to errc::timed_out, auth and auth_permanent to errc::permission_denied, context_overflow and
/// payload_too_large to errc::message_size.
UNDERSTUDY_API const boost::system::error_category& failover_category() noexcept;
/// The category of Treatment as an error condition.
UNDERSTUDY_API const boost::system::error_category& treatment_category() noexcept;

/// A reason as an error code.
inline error_code make_error_code(FailoverReason reason) noexcept {
  return {static_cast<int>(reason), failover_category()};
}
/// A treatment as an error condition, which the codes of its reasons are equivalent to.
inline boost::system::error_condition make_error_condition(Treatment treatment) noexcept {
  return {static_cast<int>(treatment), treatment_category()};
}

/// A set of reasons.
class ReasonSet {
 public:
  constexpr ReasonSet() noexcept {}
  constexpr ReasonSet(std::initializer_list<FailoverReason> reasons) noexcept {
    for (const auto reason : reasons) {
      insert(reason);
    }
  }
  /// Adds the reason.
  constexpr void insert(FailoverReason reason) noexcept { bits_ |= bit(reason); }
  /// Whether the reason is in the set.
  constexpr bool contains(FailoverReason reason) const noexcept {
    return (bits_ & bit(reason)) != 0;
  }
  /// Whether the set has no reason.
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend bool operator==(ReasonSet, ReasonSet) = default;

 private:
  static constexpr std::uint64_t bit(FailoverReason reason) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(reason);
  }
  std::uint64_t bits_ = 0;
};

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::FailoverReason> : std::true_type {};
template <>
struct boost::system::is_error_condition_enum<understudy::Treatment> : std::true_type {};
