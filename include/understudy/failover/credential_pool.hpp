/// The credentials of a provider: selects the one to send, and refreshes them.
///
/// Health (health.hpp) knows which credentials have failed; the pool has the secrets, the order in which they are used,
/// and the refresh.
///
/// Invariants
/// 1. A refresh runs once, regardless of the number of callers and threads that wait for it. It runs shielded in the
///    scope given to `attach`, so that a cancelled caller does not make the others lose a single-use refresh token.
/// 2. A refreshed token is persisted before it is used. If persisting fails, the token is used anyway, since the
///    provider would not accept the old one again; the error is reported, and persisting is retried in the scope given
///    to `attach` until it succeeds, with growing pauses, and once more when that scope is cancelled.
/// 3. A refreshed credential counts as a new one: a call that still fails with the old one neither marks it nor
///    refreshes it again (`generation`).
/// 4. Two entries with the same secret are merged: a depleted key is not used again under another name.
/// 5. Threads: any.
///
///     auto keys = std::make_shared<CredentialPool>(
///         "anthropic", std::vector{Credential("work", Secret(first)), Credential("home", Secret(second))});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/call_slots.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/failover/secret.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {

/// Which credential of a pool a call uses.
enum class Strategy : unsigned char {
  fill_first,   ///< the first one that is available
  round_robin,  ///< each in rotation
  least_used,
  random,
};

/// The result of a refresh.
class Tokens {
 public:
  explicit Tokens(Secret access_token) : access(std::move(access_token)) {}
  Tokens(Secret access_token, Secret refresh_token)
      : access(std::move(access_token)), refresh(std::move(refresh_token)) {}

  Tokens& with_account(std::string a) { return account = std::move(a), *this; }

  Secret access;
  Secret refresh;       ///< empty: the old one remains valid
  std::string account;  ///< replaces the credential's
};

/// How a credential is refreshed. The functions are called in the scope that the pool is attached to, one at a
/// time.
class Refresher {
 public:
  /// Gets new tokens for the refresh token. Cancelled when the pool's scope ends.
  using Refresh = std::function<asio::awaitable<Result<Tokens>>(const Secret& refresh_token)>;
  /// Stores new tokens. A failure is reported, and it is called again later.
  using Persist = std::function<Result<void>(const Tokens&)>;
  /// Gets the failure of a Persist.
  using Report = std::function<void(const Failure&)>;

  Refresher(Secret token, Refresh refresh_function, Persist persist_function)
      : refresh_token(std::move(token)),
        refresh(std::move(refresh_function)),
        persist(std::move(persist_function)) {}

  Refresher& with_report(Report r) { return report = std::move(r), *this; }

  Secret refresh_token;
  Refresh refresh;  ///< a failure with `auth_permanent` means that only a new login helps
  Persist persist;  ///< stores the tokens for the next start of the program
  Report report;    ///< called each time that `persist` failed, without any secret; may be empty
};

/// A secret, and how it is refreshed if it expires.
class Credential {
 public:
  /// `label` identifies the credential in reports and logs.
  Credential(std::string label_text, Secret value)
      : label(std::move(label_text)), secret(std::move(value)) {}

  Credential& with_refresher(Refresher r) { return refresher = std::move(r), *this; }
  Credential& with_account(std::string a) { return account = std::move(a), *this; }

  std::string label;
  Secret secret;
  std::string account;  ///< for providers that require the account; else empty
  std::optional<Refresher> refresher;
};

/// A credential for one request.
class CredentialUse {
 public:
  CredentialUse(std::size_t i, std::shared_ptr<const std::string> l, Secret s, std::string a,
                std::uint64_t g)
      : index(i), label(std::move(l)), secret(std::move(s)), account(std::move(a)), generation(g) {}

  std::size_t index;
  std::shared_ptr<const std::string> label;
  Secret secret;
  std::string account;
  std::uint64_t generation;
};

/// See the top of the file.
class UNDERSTUDY_API CredentialPool : public std::enable_shared_from_this<CredentialPool> {
 public:
  /// The time limit of a refresh.
  static constexpr Clock::duration longest_refresh = std::chrono::seconds(30);
  /// The pauses between attempts to persist: the first, doubled each time up to the last.
  static constexpr Clock::duration first_pause = std::chrono::seconds(1);
  static constexpr Clock::duration longest_pause = std::chrono::minutes(5);

  /// Of credentials with the same secret the first is kept. A duplicate label gets a number: "key", "key 2".
  /// Throws std::invalid_argument if there is no credential, or one is empty: a request with an empty key
  /// would be answered with a misleading 401.
  CredentialPool(std::string provider, std::vector<Credential> credentials,
                 Strategy strategy = Strategy::fill_first);
  ~CredentialPool();

  /// The credential that a caller has sent with a request, and that nobody else uses. If it is refused, only the caller
  /// can replace it: the call ends with that (Situation::callers_credential).
  static std::shared_ptr<CredentialPool> of_caller(std::string provider, Credential credential);
  /// Whether this is the credential that a caller has sent (of_caller).
  bool is_of_caller() const noexcept { return of_caller_; }

  /// Sets the scope in which refreshes run, and in which tokens that could not be persisted are persisted later.
  /// Without a scope there are no refreshes. If several scopes are attached, the last one is used. A scope must end
  /// before its executor's context; while tokens cannot be persisted, it does not end before it is cancelled.
  void attach(Scope& root);
  /// To be called before the scope ends, if other scopes remain.
  void detach(Scope& root);

  /// The name of the provider that accepts the credentials.
  const std::string& provider() const noexcept { return provider_; }
  /// How many calls may use each credential at the same time: by default any number.
  CallSlots& slots() const noexcept { return *slots_; }
  /// The number of credentials.
  std::size_t size() const noexcept { return entries_.size(); }

  /// The indices in the order in which the strategy tries them now. `random` is in [0, 1).
  std::vector<std::size_t> order(double random) const;

  /// Returns the credential, and counts a use.
  CredentialUse use(std::size_t index);

  /// The current secret. Does not count as a use.
  Secret secret(std::size_t index) const;

  /// "provider/label", under which its health is kept.
  const std::string& key(std::size_t index) const;

  /// Another pool has replaced this credential: from now on no use of it is current, so that a call that still fails
  /// with it does not mark the new one.
  void retire(std::size_t index);

  /// Whether the credential has not changed since this use.
  bool current(const CredentialUse& used) const;

  /// Whether the credential has a Refresher, and the pool a scope to run it in.
  bool can_refresh(std::size_t index) const;

  /// Whether tokens are only in memory, because they could not be persisted yet.
  bool unpersisted() const;

  /// Completes when the credential differs from `used`: at once if it already does. Errors: the refresh's own, else
  /// `auth`; StopReason::deadline at `until`. The deadline and cancellation end the wait, not the refresh.
  asio::awaitable<Result<void>> refresh(const CredentialUse& used,
                                        Clock::time_point until = Clock::time_point::max());

 private:
  struct Entry;
  class Flight;
  class Persisting;

  static asio::awaitable<void> run_refresh(std::shared_ptr<Flight> flight);
  static asio::awaitable<void> run_persisting(std::shared_ptr<Persisting> work, Remote root);
  bool persist(Entry& entry, bool refreshing);
  void keep_persisting(std::size_t index, const Remote* ended);
  asio::awaitable<Result<Tokens>> new_tokens(std::size_t index);
  void land(std::size_t index, Result<Tokens> tokens);

  std::string provider_;
  Strategy strategy_;
  bool of_caller_ = false;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::shared_ptr<CallSlots> slots_;
  std::size_t next_ = 0;  // for round_robin
  std::vector<Remote> roots_;
};

}  // namespace understudy
