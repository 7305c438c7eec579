#include "admission.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <string>

namespace understudy::gateway::detail {
namespace {

/// RFC 9110 11.1: a scheme's name is case-insensitive, and spaces follow it. Empty: another scheme.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) {
    return "";
  }
  authorization.remove_prefix(scheme.size());
  return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

}  // namespace

bool Admission::has_valid_key(const HttpHead& head) const {
  if (server_.keys.empty()) {
    return true;
  }
  const Secret bearer(bearer_token(head.headers.find("authorization").value_or("")));
  const Secret plain(head.headers.find("x-api-key").value_or(""));
  bool found = false;
  for (const auto& key : server_.keys) {  // all of them: see invariant 2
    const bool by_bearer = key == bearer;
    const bool by_plain = key == plain;
    found = found || by_bearer || by_plain;
  }
  return found;
}

std::optional<ErrorAnswer> Admission::rejected(const HttpHead& head,
                                               const Resource& resource) const {
  using Kind = Resource::Kind;
  const auto protocol = resource.protocol;
  if (auto page = guard_.refused(head, protocol)) {
    return page;
  }
  if (!has_valid_key(head)) {
    return refusal(401, "invalid API key; the keys of this gateway are set by `server.keys`",
                   protocol, "invalid_api_key");
  }
  if (resource.kind == Kind::nothing) {
    return refusal(404, "there is nothing at " + std::string(resource.path), protocol);
  }
  const bool question = resource.kind == Kind::question;
  if (question && has_token(head.headers.find("upgrade").value_or(""), "websocket")) {
    // After a 426 Codex uses HTTP at once and from then on; after a 405 it tries six times more (protocols.md 4.3).
    auto plain =
        refusal(426, "WebSocket is not supported; use HTTP with `\"stream\": true`", protocol);
    plain.headers.add("upgrade", "HTTP/1.1");
    plain.headers.add("connection", "upgrade");
    return plain;
  }
  const std::string_view method = resource.kind == Kind::listing ? "GET" : "POST";
  if (head.method != method) {
    auto other = refusal(405, "use " + std::string(method), protocol);
    other.headers.add("allow", method);
    return other;
  }
  const auto encoding = head.headers.find("content-encoding").value_or("identity");
  if (!encoding.empty() && !boost::beast::iequals(encoding, "identity")) {
    auto plain = refusal(415,
                         "the body is compressed (`content-encoding: " +
                             std::string(encoding.substr(0, 64)) + "`); send it uncompressed",
                         protocol, "unsupported_content_encoding");
    plain.headers.add("accept-encoding", "identity");
    return plain;
  }
  return std::nullopt;
}

}  // namespace understudy::gateway::detail
