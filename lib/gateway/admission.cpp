#include "admission.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <string>

#include "understudy/net/websocket.hpp"

#include "net/content_coding.hpp"

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

/// The methods that a resource has, as the value of `allow`.
std::string_view methods_of(const Resource& resource) {
  if (resource.kind == Resource::Kind::listing) {
    return "GET, HEAD";
  }
  const bool any = resource.forwarding != nullptr && resource.forwarding->kept_state;
  return any ? "GET, POST, PUT, PATCH, DELETE" : "POST";
}

/// The key in a header; empty if there is none.
Secret given(const HttpHead& head, std::string_view name) {
  const auto value = head.headers.find(name).value_or("");
  return Secret(name == "authorization" ? bearer_token(value) : value);
}

}  // namespace

bool asks_for_websocket(const HttpHead& head) {
  return head.method == "GET" && has_token(head.headers.find("upgrade").value_or(""), "websocket");
}

bool Admission::has_valid_key(const HttpHead& head) const {
  if (server_.keys.empty()) {
    return true;
  }
  bool found = false;
  for (const char* const name : {"authorization", "x-api-key", "x-understudy-key"}) {
    const bool valid = is_key(given(head, name));
    found = found || valid;
  }
  return found;
}

bool Admission::is_key(const Secret& given) const {
  bool found = false;
  for (const auto& key : server_.keys) {  // all of them: see invariant 2
    const bool same = key == given;
    found = found || same;
  }
  return found;
}

std::optional<ClientCredential> Admission::credential(const HttpHead& head) const {
  for (const char* const name : {"authorization", "x-api-key"}) {
    auto secret = given(head, name);
    if (!secret.empty() && !is_key(secret)) {
      return ClientCredential(std::move(secret),
                              std::string(head.headers.find("chatgpt-account-id").value_or("")));
    }
  }
  return std::nullopt;
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
    return refusal(404, "there is nothing at " + resource.path, protocol);
  }
  if (resource.kind == Kind::question && asks_for_websocket(head)) {
    const bool has_one = server_.websocket && protocol == llm::Protocol::openai_responses;
    const auto wrong = websocket_refusal(head);
    if (has_one && wrong.empty()) {
      return std::nullopt;
    }
    if (has_one) {
      auto refused = refusal(426, "the WebSocket handshake is not valid: " + wrong, protocol);
      refused.headers.add("sec-websocket-version", "13");
      refused.headers.add("upgrade", "websocket");
      refused.headers.add("connection", "upgrade");
      return refused;
    }
    // After a 426 Codex uses HTTP at once and from then on; after a 405 it tries six times more (protocols.md 4.3).
    auto plain =
        refusal(426, "WebSocket is not supported here; use HTTP with `\"stream\": true`", protocol);
    plain.headers.add("upgrade", "HTTP/1.1");
    plain.headers.add("connection", "upgrade");
    return plain;
  }
  if (const auto methods = methods_of(resource); !has_token(methods, head.method)) {
    auto other = refusal(405, "use " + std::string(methods), protocol);
    other.headers.add("allow", methods);
    return other;
  }
  if (!understudy::detail::content_codings(head.headers)) {
    const std::string accepted(understudy::detail::accepted_codings);
    auto other = refusal(
        415,
        "the body's `content-encoding: " + understudy::detail::content_encoding(head.headers) +
            "` is not supported; send it as one of " + accepted +
            ", or as at most two of them on top of each other",
        protocol, "unsupported_content_encoding");
    other.headers.add("accept-encoding", accepted);
    return other;
  }
  return std::nullopt;
}

}  // namespace understudy::gateway::detail
