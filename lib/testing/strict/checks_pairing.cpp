// Whether every call has its result at the place that the protocol wants, and every result its call.
#include <algorithm>
#include <set>
#include <string>

#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"

namespace understudy::testing::strict {
namespace {

using Ids = std::set<std::string, std::less<>>;

Violation unpaired(std::size_t index, std::string ids, std::string message = {}) {
  Violation found;
  found.index = index;
  found.value = std::move(ids);
  found.message = std::move(message);
  return found;
}

std::string joined(const Ids& ids) {
  std::string out;
  for (const auto& id : ids) {
    out += (out.empty() ? "" : ", ") + id;
    if (out.size() > 1000) {
      break;
    }
  }
  return out;
}

/// Messages: the results begin the user's message behind the calls. Messages of one role in a row count as one, and
/// those of the role system are not in the way.
std::optional<Violation> pair_blocks(const Asked& asked) {
  Ids open;               // calls of the last answer without a result
  std::size_t at = 0;     // where the calls are
  std::string_view role;  // of the turn
  bool results_may_come = false;
  for (const auto& one : asked.said) {
    if (one.role == "system") {
      continue;
    }
    if (one.role != role) {
      if (one.role == "assistant") {
        if (!open.empty()) {
          return unpaired(at, joined(open));
        }
      }
      results_may_come = one.role == "user";
      role = one.role;
    }
    if (string_of(member(one.value, "content")) && !open.empty()) {
      return unpaired(at, joined(open));
    }
    std::optional<Violation> found;
    each_object(member(one.value, "content"), [&](JsonObject block) {
      if (found) {
        return;
      }
      const auto type = text_of(block, "type");
      if (type == "tool_use" && role == "assistant") {
        at = one.index;
        open.emplace(text_of(block, "id"));
      } else if (type == "tool_result") {
        const std::string id(text_of(block, "tool_use_id"));
        if (!results_may_come || open.erase(id) == 0) {
          found = unpaired(one.index, id,
                           "messages." + std::to_string(one.index) +
                               ": unexpected `tool_use_id` found in `tool_result` blocks: " + id +
                               ". Each `tool_result` block must have a corresponding `tool_use` "
                               "block in the previous message.");
        }
      } else if (role == "user" && !open.empty()) {
        found = unpaired(at, joined(open));
      }
    });
    if (found) {
      return found;
    }
  }
  return open.empty() ? std::nullopt : std::optional(unpaired(at, joined(open)));
}

/// Chat: a message of the role tool for each call, before any other.
std::optional<Violation> pair_messages(const Asked& asked) {
  Ids open;
  std::size_t at = 0;
  for (const auto& one : asked.said) {
    if (one.role == "tool") {
      const std::string id(text_of(one.value, "tool_call_id"));
      if (open.erase(id) == 0) {
        return unpaired(one.index, id,
                        "Invalid parameter: messages with role 'tool' must be a response to a "
                        "preceeding message with 'tool_calls'.");
      }
      continue;
    }
    if (!open.empty()) {
      break;
    }
    each_object(member(one.value, "tool_calls"), [&](JsonObject call) {
      at = one.index;
      open.emplace(text_of(call, "id"));
    });
  }
  return open.empty() ? std::nullopt : std::optional(unpaired(at, joined(open)));
}

/// Responses: an output of the call's kind somewhere behind it. What an earlier response holds is not seen.
std::optional<Violation> pair_items(const Asked& asked) {
  constexpr std::string_view kinds[] = {"function",    "custom_tool", "local_shell", "shell",
                                        "apply_patch", "computer",    "tool_search"};
  const bool continued =
      present(asked.body, "previous_response_id") || present(asked.body, "conversation");
  std::set<std::pair<std::string_view, std::string>> open;  // kind, id
  std::optional<Violation> found;
  for (const auto& one : asked.said) {
    std::string id(text_of(one.value, "call_id"));
    for (const auto kind : kinds) {
      const auto rest =
          one.type.starts_with(kind) ? one.type.substr(kind.size()) : std::string_view();
      if (rest == "_call" &&
          (kind != "tool_search" || text_of(one.value, "execution") == "client")) {
        open.emplace(kind, id);
      } else if ((rest == "_call_output" || (kind == "tool_search" && rest == "_output")) &&
                 open.erase({kind, id}) == 0 && !continued) {
        return unpaired(one.index, id,
                        "No tool call found for function call output with call_id " + id + ".");
      }
    }
  }
  return open.empty() ? std::nullopt : std::optional(unpaired(0, open.begin()->second));
}

}  // namespace

namespace checks {

Found pairing(const Rule&, const Asked& asked) {
  switch (asked.backend.form) {
    case Form::messages: return pair_blocks(asked);
    case Form::chat: return pair_messages(asked);
    case Form::responses: return pair_items(asked);
  }
  return std::nullopt;
}

}  // namespace checks
}  // namespace understudy::testing::strict
