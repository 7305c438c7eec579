/// A credential that stands in a token file and is refreshed at the provider's token endpoint (RFC 6749 6).
///
/// The file is a JSON object with `access_token` and `refresh_token`, or one with both in its member
/// `tokens`, as Codex has it. How it came to be, a login, is not for here.
///
/// Invariants
/// 1. New tokens are in the file before they are used (CredentialPool): whole or not at all, readable by
///    their owner alone. What else stands in the file stays.
/// 2. Before each refresh the file is read again: where another process has refreshed, its tokens are
///    taken, since a refresh token works once.
/// 3. Tokens go to the token endpoint alone, which is https, or on this machine.
///
///     auto credential = oauth_credential(HttpClientOptions(), "work", OAuthOptions(file, token_url, client_id));
///     auto pool = std::make_shared<CredentialPool>("anthropic", std::vector{credential.value()});
///     pool->attach(root);
#pragma once

#include <string>

#include "understudy/export.hpp"
#include "understudy/failover/credential_pool.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/url.hpp"

namespace understudy {

class OAuthOptions {
 public:
  OAuthOptions(std::string file, Url endpoint, std::string client)
      : token_file(std::move(file)), token_url(std::move(endpoint)), client_id(std::move(client)) {}

  OAuthOptions& with_header(std::string_view name, std::string_view value) {
    return headers.add(name, value), *this;
  }

  std::string token_file;
  Url token_url;
  std::string client_id;
  HttpFields headers;
};

/// Reads the file. Errors (`auth_permanent`, whose message names the file and what is wrong with it): it
/// cannot be read, is no such object, or the endpoint is neither https nor on this machine.
///
/// The credential's refresh fails with `auth_permanent` where the endpoint says that only a new login helps
/// (status 401, or RFC 6749's invalid_grant and its kin), else with `auth`. It runs in the scope that the
/// pool is attached to, by an HTTP client of its own, so that whoever else made the pool's calls may go.
UNDERSTUDY_API Result<Credential> oauth_credential(const HttpClientOptions& http, std::string label,
                                                   OAuthOptions options);

}  // namespace understudy
