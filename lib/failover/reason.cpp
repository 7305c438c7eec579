#include "understudy/failover/reason.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace understudy {
namespace {

using Reason = FailoverReason;

// Reasons: those of hermes' classifier, and `connection`, `stale_connection` and `malformed_response`. Treatments:
// failover.md 1.2. Concerns: failover.md 5; model_entitlement concerns one credential's right to one model, so that
// another account of the same provider is still tried.
constexpr std::array table{
    ReasonTraits{Reason::timeout, "timeout", Treatment::stall, Concern::member,
                 CooldownLadder::stall},
    ReasonTraits{Reason::connection, "connection", Treatment::connection, Concern::endpoint,
                 CooldownLadder::brief},
    ReasonTraits{Reason::stale_connection, "stale_connection", Treatment::resend, Concern::nothing,
                 CooldownLadder::none},
    ReasonTraits{Reason::rate_limit, "rate_limit", Treatment::limit, Concern::credential_model,
                 CooldownLadder::limit},
    ReasonTraits{Reason::upstream_rate_limit, "upstream_rate_limit", Treatment::busy,
                 Concern::member, CooldownLadder::limit},
    ReasonTraits{Reason::overloaded, "overloaded", Treatment::busy, Concern::member,
                 CooldownLadder::brief},
    ReasonTraits{Reason::upstream_blocked, "upstream_blocked", Treatment::busy, Concern::member,
                 CooldownLadder::brief},
    ReasonTraits{Reason::billing, "billing", Treatment::rotate, Concern::credential,
                 CooldownLadder::limit},
    ReasonTraits{Reason::auth, "auth", Treatment::refresh, Concern::credential,
                 CooldownLadder::brief},
    ReasonTraits{Reason::auth_permanent, "auth_permanent", Treatment::refresh, Concern::credential,
                 CooldownLadder::brief},
    ReasonTraits{Reason::server_error, "server_error", Treatment::retry_once, Concern::member,
                 CooldownLadder::brief},
    ReasonTraits{Reason::malformed_response, "malformed_response", Treatment::retry_once,
                 Concern::member, CooldownLadder::brief},
    ReasonTraits{Reason::incomplete_response, "incomplete_response", Treatment::retry_once,
                 Concern::member, CooldownLadder::brief},
    ReasonTraits{Reason::unknown, "unknown", Treatment::retry_once, Concern::member,
                 CooldownLadder::brief},
    ReasonTraits{Reason::model_not_found, "model_not_found", Treatment::fail_over, Concern::member,
                 CooldownLadder::brief},
    ReasonTraits{Reason::model_entitlement, "model_entitlement", Treatment::fail_over,
                 Concern::credential_model, CooldownLadder::brief},
    ReasonTraits{Reason::provider_policy_blocked, "provider_policy_blocked", Treatment::fail_over,
                 Concern::member, CooldownLadder::brief},
    ReasonTraits{Reason::ssl_cert_verification, "ssl_cert_verification", Treatment::fail_over,
                 Concern::endpoint, CooldownLadder::brief},
    ReasonTraits{Reason::long_context_tier, "long_context_tier", Treatment::fail_over,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::role_alternation, "role_alternation", Treatment::fail_over,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::unsupported_request, "unsupported_request", Treatment::mend,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::context_overflow, "context_overflow", Treatment::larger_window,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::payload_too_large, "payload_too_large", Treatment::larger_window,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::thinking_signature, "thinking_signature", Treatment::mend,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::invalid_encrypted_content, "invalid_encrypted_content", Treatment::mend,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::reasoning_mandatory, "reasoning_mandatory", Treatment::mend,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::multimodal_tool_content_unsupported, "multimodal_tool_content_unsupported",
                 Treatment::mend, Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::llama_cpp_grammar_pattern, "llama_cpp_grammar_pattern", Treatment::mend,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::oauth_long_context_beta_forbidden, "oauth_long_context_beta_forbidden",
                 Treatment::mend, Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::image_too_large, "image_too_large", Treatment::mend, Concern::nothing,
                 CooldownLadder::none},
    ReasonTraits{Reason::image_corrupt, "image_corrupt", Treatment::mend, Concern::nothing,
                 CooldownLadder::none},
    ReasonTraits{Reason::resume_mismatch, "resume_mismatch", Treatment::another_way,
                 Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::content_policy_blocked, "content_policy_blocked",
                 Treatment::content_policy, Concern::nothing, CooldownLadder::none},
    ReasonTraits{Reason::format_error, "format_error", Treatment::return_to_caller,
                 Concern::nothing, CooldownLadder::none},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].reason) != i + 1) {
      return false;
    }
  }
  return table.size() == reason_count;
}
static_assert(in_order(), "a reason has no row, or its row is out of place");

bool known(int value) noexcept { return value >= 1 && value <= static_cast<int>(table.size()); }

class FailoverCategory final : public boost::system::error_category {
 public:
  // The id makes copies of the category in two shared libraries equal.
  constexpr FailoverCategory() noexcept : error_category(0x5d1f6b2a9c3e4702ULL) {}

  const char* name() const noexcept override { return "understudy.failover"; }

  std::string message(int value) const override {
    return known(value) ? std::string(to_string(static_cast<Reason>(value)))
                        : "not a failover reason";
  }

  bool equivalent(int value,
                  const boost::system::error_condition& condition) const noexcept override {
    if (!known(value)) {
      return error_category::equivalent(value, condition);
    }
    const auto reason = static_cast<Reason>(value);
    return condition == make_error_condition(traits(reason).treatment) ||
           condition == standard_word(value);
  }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return standard_word(value);
  }

 private:
  boost::system::error_condition standard_word(int value) const noexcept {
    namespace errc = boost::system::errc;
    const auto is = [&](Reason reason) { return value == static_cast<int>(reason); };
    if (is(Reason::timeout)) {
      return errc::make_error_condition(errc::timed_out);
    }
    if (is(Reason::auth) || is(Reason::auth_permanent)) {
      return errc::make_error_condition(errc::permission_denied);
    }
    if (is(Reason::context_overflow) || is(Reason::payload_too_large)) {
      return errc::make_error_condition(errc::message_size);
    }
    return {value, *this};
  }
};

class TreatmentCategory final : public boost::system::error_category {
 public:
  constexpr TreatmentCategory() noexcept : error_category(0x5d1f6b2a9c3e4703ULL) {}

  const char* name() const noexcept override { return "understudy.treatment"; }
  std::string message(int value) const override {
    return std::string(to_string(static_cast<Treatment>(value)));
  }
};

}  // namespace

std::span<const ReasonTraits> all_reasons() noexcept { return table; }

const ReasonTraits& traits(FailoverReason reason) noexcept {
  return table[static_cast<std::size_t>(reason) - 1];
}

std::string_view to_string(FailoverReason reason) noexcept { return traits(reason).name; }

std::string_view to_string(Treatment treatment) noexcept {
  switch (treatment) {
    case Treatment::stall: return "stall";
    case Treatment::connection: return "connection";
    case Treatment::resend: return "resend";
    case Treatment::limit: return "limit";
    case Treatment::busy: return "busy";
    case Treatment::rotate: return "rotate";
    case Treatment::refresh: return "refresh";
    case Treatment::retry_once: return "retry_once";
    case Treatment::another_way: return "another_way";
    case Treatment::fail_over: return "fail_over";
    case Treatment::larger_window: return "larger_window";
    case Treatment::mend: return "mend";
    case Treatment::content_policy: return "content_policy";
    case Treatment::return_to_caller: return "return_to_caller";
  }
  return "not a treatment";
}

std::optional<FailoverReason> reason_from(std::string_view name) noexcept {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const ReasonTraits& r) { return r.name == name; });
  return row == table.end() ? std::nullopt : std::optional(row->reason);
}

std::optional<FailoverReason> reason_of(const error_code& code) noexcept {
  if (code.category() != failover_category() || !known(code.value())) {
    return std::nullopt;
  }
  return static_cast<FailoverReason>(code.value());
}

const boost::system::error_category& failover_category() noexcept {
  static const FailoverCategory category;
  return category;
}

const boost::system::error_category& treatment_category() noexcept {
  static const TreatmentCategory category;
  return category;
}

}  // namespace understudy
