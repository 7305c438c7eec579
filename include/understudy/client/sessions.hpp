/// What is remembered of conversations between calls: which member serves them, with which credential, and what had to
/// be mended.
///
/// Providers cache the beginning of a conversation, and tie reasoning to a member and to an account. So a conversation
/// keeps its member and its credentials as long as that is worth more than a better place in the chain.
///
/// Invariants
/// 1. Only hashes are kept: of the caller's key, the route and the conversation. No text of a request is.
/// 2. A conversation is forgotten an hour after its last call; the oldest ones are forgotten above `most`.
/// 3. A credential belongs to the client's session, which parallel sub-agents share; the member and the mends belong to
///    one conversation: session, agent, model and beginning.
/// 4. Advice changes the order in which members and credentials are tried, never which of them may be.
///
///     const auto key = SessionKey::of(request, identity, route);
///     const auto advised = sessions.advise(key, chain, ReturnWhen::cold, Clock::now());
///     // ... the call asks advised.chain ...
///     sessions.served(key, member, credential, mends, named_mends, Clock::now());
///
/// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/client/delivery_settings.hpp"
#include "understudy/client/detail/session_table.hpp"
#include "understudy/export.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy {

/// What a client says about its conversation. Empty: it does not.
class SessionIdentity {
 public:
  SessionIdentity() {}

  std::string session;  ///< the client's id of its session
  std::string agent;    ///< of a sub-agent within the session
  std::string caller;   ///< tells callers apart: the key that the client has sent
};

/// A hash of 128 bits.
class SessionHash {
 public:
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const SessionHash&) const = default;
  /// 32 hexadecimal digits.
  UNDERSTUDY_API std::string text() const;
};

/// The two names of a conversation (invariant 3).
class SessionKey {
 public:
  /// `route`: the name of the route that serves the request. Hashes at most 64 KiB of the conversation's beginning.
  UNDERSTUDY_API static SessionKey of(const llm::Request& request, const SessionIdentity& identity,
                                      std::string_view route);

  SessionHash session;
  SessionHash conversation;
  bool begun = false;  ///< the model has answered in it before
};

/// A chain for one call.
class SessionAdvice {
 public:
  Chain chain;
  std::string why;  ///< why its order is not the configured one; empty: it is
};

/// See the top of the file.
class UNDERSTUDY_API Sessions {
 public:
  static constexpr std::size_t most = 100'000;
  static constexpr Clock::duration lifetime = std::chrono::hours(1);
  /// How long providers keep the beginning of a conversation (Anthropic's default; others keep it about as long).
  static constexpr Clock::duration cache_lifetime = std::chrono::minutes(5);

  Sessions() {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// Returns the chain as the conversation should be tried: what it needs to be mended is known from the first attempt,
  /// and its member and credentials come first.
  SessionAdvice advise(const SessionKey& key, Chain chain, ReturnWhen when, Clock::time_point now);

  /// A member has begun to answer. `credential` may be null.
  void served(const SessionKey& key, const Member& member, const CredentialUse* credential,
              const ReasonSet& mends, const std::vector<std::string>& named_mends,
              Clock::time_point now);

  /// The number of conversations that are remembered.
  std::size_t size() const;

 private:
  /// The credential of a provider's pool.
  struct Pin {
    std::uint32_t provider = 0;  // a hash; 0: none
    std::uint32_t index = 0;
  };
  using Pins = std::array<Pin, 6>;
  struct Served {
    std::size_t member = 0;  // Member::key_hash
    Clock::time_point at;
  };
  struct Mends {
    std::size_t member = 0;
    std::shared_ptr<const MemberMends> mends;
  };
  struct Conversation {
    std::array<Served, 2> served;               // the last two members, the last one first
    std::unique_ptr<std::vector<Mends>> mends;  // most need none
  };

  mutable std::mutex mutex_;
  detail::SessionTable<SessionHash, Pins> pins_{most, lifetime};
  detail::SessionTable<SessionHash, Conversation> conversations_{most, lifetime};
};

}  // namespace understudy
