/// A credential from a token file that is refreshed at the provider's token endpoint (RFC 6749 6).
///
/// The file is a JSON object with `access_token` and `refresh_token`, or the sign-in file of Codex, which has both in
/// its member `tokens`, together with `account_id` and `id_token`. Logging in is done by other programs.
///
/// Invariants
/// 1. A single-use refresh token is not spent before disk space for its successor is reserved. The new tokens are used
///    even if they cannot be written (CredentialPool, invariant 2).
/// 2. A refresh holds the lock of the file (token_file.hpp) from before it reads the file until the new tokens are
///    written. If another process has refreshed meanwhile, its tokens are used and no token is spent. The same applies
///    if the token endpoint rejects the token as no longer valid, for programs that do not lock, such as Codex.
/// 3. All other members of the file are kept; `id_token` and Codex's `last_refresh` are updated with the tokens. A file
///    that another login has replaced meanwhile is not changed.
/// 4. Tokens are sent only to the token endpoint, which must be https or on this machine.
/// 5. The account of a sign-in file is `account_id`, else the account that its `id_token` claims. It belongs to the
///    tokens in the same file and changes with them.
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

/// Where the tokens are, and how they are refreshed.
class OAuthOptions {
 public:
  OAuthOptions(std::string file, Url endpoint, std::string client)
      : token_file(std::move(file)), token_url(std::move(endpoint)), client_id(std::move(client)) {}

  /// Adds a header to requests to the token endpoint.
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

/// Reads the file, blocking, and returns its credential. Errors: `auth_permanent`, with a message that names the file
/// and what is wrong with it, if the file cannot be read, is not a JSON object as described above, or if the endpoint
/// is neither https nor on this machine.
///
/// A refresh of the credential fails with `auth_permanent` if the endpoint's response means that a new login is
/// required (status 401, or invalid_grant and similar errors of RFC 6749), and otherwise with `auth`, which includes a
/// file that cannot be locked, read or replaced. The refresh runs in the scope to which the pool is attached, with its
/// own HTTP client, so that it does not depend on the lifetime of the call that started it.
UNDERSTUDY_API Result<Credential> oauth_credential(const HttpClientOptions& http, std::string label,
                                                   OAuthOptions options);

}  // namespace understudy::llm
