/// A member of a chain: a model at a provider that can answer a call, with its settings. A chain is a list of members.
///
/// Invariants
/// 1. Two members are the same if model, endpoint, purpose and credentials are, regardless of the configured name of
///    the provider: a second name for a back end does not hide its failures. The endpoint is the base URL,
///    or the provider's name where there is none.
/// 2. Copies are cheap and share their data; a report can keep them.
///
///     const Chain chain{Member("anthropic", "claude-opus-4-7").with_credentials(keys),
///                       Member("openai-codex", "gpt-5.5").with_context_window(400'000)};
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/backoff.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/failover/retry_budget.hpp"
#include "understudy/runtime/stall_limits.hpp"

namespace understudy {

class CredentialPool;

/// What a member's requests need to be mended for; see Attempt::mends.
class MemberMends {
 public:
  ReasonSet reasons;
  std::vector<std::string> named;
};

/// See the top of the file. A setter changes this member, not its copies.
class UNDERSTUDY_API Member {
 public:
  Member(std::string provider, std::string model);

  Member& with_base_url(std::string url);
  /// The purpose of the member if it is not asked for answers, such as "/embeddings". Its health and its usual times
  /// are kept separately for each purpose: a member that counts tokens in time may stall when it answers.
  Member& with_purpose(std::string purpose);
  Member& with_credentials(std::shared_ptr<CredentialPool> pool);
  Member& with_context_window(std::uint64_t tokens);
  Member& with_stall(
      const StallSettings& settings);  ///< overrides the policy's settings, key by key
  Member& with_reasoning_floor(Clock::duration floor);
  Member& with_backoff(const BackoffSettings& settings);  ///< in place of the policy's
  /// Overrides the State's settings. All members of a provider share the budget of the first one that is used.
  Member& with_budget(const BudgetSettings& settings);

  /// For a member whose model is "*": the model that the request names. Its health and its name in reports stay those of
  /// the "*": callers could make up any number of models.
  Member& with_asked_model(std::string model);
  /// The credential of the pool that is tried first, if it is usable, in place of the strategy's choice.
  Member& with_credential_first(std::size_t index);
  /// Mends that requests need, as earlier calls have found: the first attempt is sent with them (Attempt::mends). Null:
  /// none is known.
  Member& with_mends(std::shared_ptr<const MemberMends> known);

  /// The name under which health, budgets and credentials of its provider are kept.
  const std::string& provider() const noexcept { return data_->provider; }
  /// The model that is asked for.
  const std::string& model() const noexcept { return asked_model_ ? *asked_model_ : data_->model; }
  /// The model as the chain names it, which may be "*".
  const std::string& model_in_chain() const noexcept { return data_->model; }
  /// Whether requests choose the model.
  bool passes_model() const noexcept { return data_->model == "*"; }
  /// Where the provider is reached; empty if its name says that.
  const std::string& base_url() const noexcept { return data_->base_url; }
  /// The credentials; null if none is needed.
  const std::shared_ptr<CredentialPool>& credentials() const noexcept { return data_->pool; }
  /// The size of the model's context in tokens, if it is known.
  std::optional<std::uint64_t> context_window() const noexcept { return data_->context_window; }
  /// The limits that override the policy's.
  const StallSettings& stall() const noexcept { return data_->stall; }
  /// The shortest limits on progress for a model that thinks before it answers; zero: none.
  Clock::duration reasoning_floor() const noexcept { return data_->reasoning_floor; }
  /// What replaces the policy's backoff.
  const std::optional<BackoffSettings>& backoff() const noexcept { return data_->backoff; }
  /// What replaces the State's budget.
  const std::optional<BudgetSettings>& budget() const noexcept { return data_->budget; }
  /// The credential that is tried first, if one was named.
  std::optional<std::size_t> credential_first() const noexcept { return credential_first_; }
  /// The mends that its requests need; null if none is known.
  const MemberMends* mends() const noexcept { return mends_.get(); }

  /// "provider/model", as in reports.
  const std::string& name() const noexcept { return data_->name; }
  /// The keys of health: the endpoint; and model, endpoint and purpose.
  const std::string& endpoint() const noexcept {
    return data_->base_url.empty() ? data_->provider : data_->base_url;
  }
  /// The key of its health: model, endpoint and purpose.
  const std::string& key() const noexcept { return data_->key; }
  /// The hash of `key()`.
  std::size_t key_hash() const noexcept { return data_->key_hash; }

  /// Whether both have the same `key()` and the same credentials.
  bool same_as(const Member& other) const noexcept;

 private:
  struct Data {
    std::string provider;
    std::string model;
    std::string base_url;
    std::string purpose;
    std::shared_ptr<CredentialPool> pool;
    std::optional<std::uint64_t> context_window;
    StallSettings stall;
    Clock::duration reasoning_floor{};
    std::optional<BackoffSettings> backoff;
    std::optional<BudgetSettings> budget;
    std::string name;
    std::string key;
    std::size_t key_hash = 0;
  };

  Data& change();
  void rename();

  std::shared_ptr<Data> data_;
  // Of one call, so that its chain costs no copies of `data_`.
  std::optional<std::size_t> credential_first_;
  std::shared_ptr<const MemberMends> mends_;
  std::shared_ptr<const std::string> asked_model_;
};

/// The members of a call, in the order in which they are asked.
using Chain = std::vector<Member>;

}  // namespace understudy
