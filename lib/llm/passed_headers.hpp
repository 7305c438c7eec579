/// Headers that pass between a client and a provider: only those that the provider's back end is known to take or to send
/// (`request_headers` and `response_headers` of the catalog), and only between clients and services of one maker's
/// protocols.
///
/// Invariants
/// 1. No credential passes, and nothing that belongs to the connection or to the body, whatever the catalog says.
/// 2. Headers that the configuration sets, and those of the protocol, are not replaced, but for `anthropic-version`.
/// 3. Bounded: at most `most_passed` headers with at most `longest_passed` bytes in all.
/// 4. A turn state goes back only to the member and credential that issued it: the client gets it marked, and another
///    issuer's is left out (docs/gateway.md 6).
///
///     pass_to_provider(http, *options.back_end, request.client_headers, issuer);
///     attempt.answered_with(passed_to_client(*options.back_end, response.headers(), issuer));
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "understudy/llm/catalog/catalog.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::llm::detail {

inline constexpr std::size_t most_passed = 64;
inline constexpr std::size_t longest_passed = std::size_t{8} * 1024;

/// Whether clients of one protocol use services of the other by the same maker's rules: Chat and Responses are both
/// OpenAI's.
bool same_family(Protocol client, Protocol provider) noexcept;

/// Adds the client's headers that pass. `issuer`: a hash of the member and credential that get the request.
void pass_to_provider(HttpRequest& to, const BackEnd& back_end, const HeaderList& from,
                      std::string_view issuer);

/// The headers of an answer that pass.
HeaderList passed_to_client(const BackEnd& back_end, const HttpFields& from,
                            std::string_view issuer);

/// The provider's id of the request, from the headers of its answer; empty: none.
std::string_view providers_request_id(const HttpFields& headers);

}  // namespace understudy::llm::detail
