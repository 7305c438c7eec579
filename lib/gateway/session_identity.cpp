#include "session_identity.hpp"

#include <array>
#include <string>
#include <string_view>

#include "text/json_edit.hpp"
#include "text/json_tree.hpp"

namespace understudy::gateway::detail {
namespace {

/// Claude Code, Codex, opencode, and what other agents have taken over from them.
constexpr std::array session_headers{"x-claude-code-session-id", "session-id", "session_id",
                                     "x-session-id", "x-session-affinity"};
constexpr std::array agent_headers{"x-claude-code-agent-id", "thread-id", "x-openai-subagent"};
constexpr std::array key_headers{"x-understudy-key", "authorization", "x-api-key", "api-key"};

template <std::size_t Size>
std::string first_of(const HttpFields& headers, const std::array<const char*, Size>& names) {
  for (const auto* const name : names) {
    if (const auto value = headers.find(name); value && !value->empty()) {
      return std::string(*value);
    }
  }
  return {};
}

std::string text_at(std::string_view json, const text::JsonPath& path) {
  const auto value = text::json_at(json, path);
  return value.starts_with('"') ? json::unescaped_text(value) : std::string();
}

/// Claude Code's `user_...__session_ID`, and the JSON text with a `session_id` that newer versions send.
std::string session_of_user(std::string_view user) {
  constexpr std::string_view mark = "_session_";
  if (user.starts_with('{')) {
    return text_at(user, {"session_id"});
  }
  const auto at = user.find(mark);
  return at == std::string_view::npos ? std::string() : std::string(user.substr(at + mark.size()));
}

std::string session_in_body(const llm::Request& request) {
  auto session = text_at(request.body, {"prompt_cache_key"});
  return session.empty() ? session_of_user(request.user) : session;
}

}  // namespace

SessionIdentity session_identity(const HttpHead& head, const llm::Request& request) {
  SessionIdentity identity;
  identity.session = first_of(head.headers, session_headers);
  if (identity.session.empty()) {
    identity.session = session_in_body(request);
  }
  identity.agent = first_of(head.headers, agent_headers);
  identity.caller = first_of(head.headers, key_headers);
  return identity;
}

}  // namespace understudy::gateway::detail
