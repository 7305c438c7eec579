/// Reads what an answer's headers state about the remaining quota of the credential: the rate limits of API keys, and
/// the windows of subscriptions.
///
/// Invariants
/// 1. Pure, and total: any headers are valid. A quota is reported only if its share and its reset are both stated and
///    make sense.
/// 2. Nothing is reported of a window beyond which the provider continues to answer: extra usage that is paid for, or
///    credits.
///
///     attempt.allowed(quota_headers(response.headers(), std::chrono::system_clock::now()));
#pragma once

#include <chrono>
#include <vector>

#include "understudy/failover/quota.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::llm::detail {

/// `now`: the wall clock, for resets that are stated as times, if the answer has no `Date`. The forms are in
/// docs/protocols.md: "Response headers" of each protocol.
std::vector<Allowance> quota_headers(const HttpFields& headers,
                                     std::chrono::system_clock::time_point now);

}  // namespace understudy::llm::detail
