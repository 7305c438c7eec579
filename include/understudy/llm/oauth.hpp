/// A credential in a token file, which is refreshed at the provider's token endpoint (RFC 6749 6).
///
/// The file is a JSON object with `access_token` and `refresh_token`, or the sign-in file of Codex, which has
/// both in its member `tokens`, beside `account_id` and `id_token`. Logging in is left to other programs.
///
/// Invariants
/// 1. A refresh token that works once is not spent before there is space on the disk for what comes in its
///    place. What came is used even if it cannot be written after all (CredentialPool, invariant 2).
/// 2. A refresh has the file's lock (token_file.hpp) from before it reads the file until the new tokens are in
///    it. If another process has refreshed meanwhile, its tokens are taken, and none is spent; the same where
///    the token endpoint says that ours is of no use any more, for programs that do not lock, such as Codex.
/// 3. All other members of the file stay; `id_token` and Codex's `last_refresh` follow the tokens. A file that
///    another login has replaced meanwhile is left as it is.
/// 4. Tokens go to the token endpoint alone, which is https, or on this machine.
/// 5. The account of a sign-in file is `account_id`, else what its `id_token` claims. It belongs to the tokens
///    beside which it stands, and changes with them.
///
///     auto credential = oauth_credential(HttpClientOptions(), "work", OAuthOptions(file, token_url, client_id));
///     auto pool = std::make_shared<CredentialPool>("anthropic", std::vector{credential.value()});
///     pool->attach(root);
#pragma once

#include <string>

#include "understudy/export.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/llm/token_file.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"

namespace understudy::llm {

class OAuthOptions {
 public:
  OAuthOptions(std::string file, Url endpoint, std::string client)
      : token_file(std::move(file)), token_url(std::move(endpoint)), client_id(std::move(client)) {}

  OAuthOptions& with_header(std::string_view name, std::string_view value) {
    return headers.add(name, value), *this;
  }
  /// See Refresher::report.
  OAuthOptions& with_report(Refresher::Report r) { return report = std::move(r), *this; }
  OAuthOptions& with_file_fault(FileFault f) { return file_fault = std::move(f), *this; }

  std::string token_file;
  Url token_url;
  std::string client_id;
  HttpFields headers;
  Refresher::Report report;
  FileFault file_fault;  ///< for tests
};

/// Reads the file. Errors (`auth_permanent`, whose message names the file and what is wrong with it): it
/// cannot be read, is no such object, or the endpoint is neither https nor on this machine.
///
/// The credential's refresh fails with `auth_permanent` where the endpoint says that only a new login helps
/// (status 401, or RFC 6749's invalid_grant and its kin), else with `auth`: also where the file cannot be
/// locked, read or replaced. It runs in the scope that the pool is attached to, by an HTTP client of its own,
/// so that whoever else made the pool's calls may go.
UNDERSTUDY_API Result<Credential> oauth_credential(const HttpClientOptions& http, std::string label,
                                                   OAuthOptions options);

}  // namespace understudy::llm
