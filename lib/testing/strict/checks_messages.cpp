// Checks of messages: roles, their order, blocks, ids. Calls and results: checks_pairing.cpp.
#include <algorithm>

#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"

namespace understudy::testing::strict {
namespace {

Violation at_message(const Said& one, std::string value = {}) {
  Violation found;
  found.index = one.index;
  found.value = std::move(value);
  return found;
}

/// Calls `each(block, number)` for the blocks of a message, and for those in its tool results.
template <class Each>
void each_block(const Said& one, Each each) {
  std::size_t number = 0;
  each_object(member(one.value, "content"), [&](JsonObject block) {
    each(block, number);
    if (text_of(block, "type") == "tool_result") {
      each_object(member(block, "content"), [&](JsonObject inner) { each(inner, number); });
    }
    ++number;
  });
}

bool has_cache_control(JsonObject object) { return present(object, "cache_control").has_value(); }

/// The prefixes of item ids, by their type.
std::string_view id_prefix(std::string_view type) {
  constexpr std::pair<std::string_view, std::string_view> prefixes[] = {
      {"message", "msg"},          {"reasoning", "rs"},
      {"function_call", "fc"},     {"function_call_output", "fc"},
      {"custom_tool_call", "ctc"}, {"custom_tool_call_output", "ctc"},
      {"web_search_call", "ws"},   {"compaction", "cmp"},
  };
  for (const auto& [of, prefix] : prefixes) {
    if (of == type) {
      return prefix;
    }
  }
  return {};
}

}  // namespace

namespace checks {

Found role(const Rule& rule, const Asked& asked) {
  for (const auto& one : asked.said) {
    if (one.type == "message" && !contains(rule.list("roles"), one.role)) {
      return at_message(one, std::string(one.role));
    }
  }
  return std::nullopt;
}

Found role_order(const Rule& rule, const Asked& asked) {
  std::size_t systems = 0;
  std::string_view before;
  for (const auto& one : asked.said) {
    if (one.role == "system") {
      ++systems;
      if ((rule.flag("system_first_only") && one.index > 0) ||
          (rule.flag("one_system") && systems > 1)) {
        return at_message(one, "system");
      }
    }
    if (rule.flag("no_user_after_tool") && before == "tool" && one.role == "user") {
      return at_message(one, "user");
    }
    before = one.role;
  }
  const auto& last = rule.list("last");
  if (last.empty() || asked.said.empty() || contains(last, before) ||
      bool_of(member(asked.said.back().value, "prefix")).value_or(false)) {
    return std::nullopt;
  }
  auto found = at_message(asked.said.back(), std::string(before));
  found.message =
      "Expected last role User or Tool (or Assistant with prefix True) for serving but "
      "got " +
      std::string(before);
  return found;
}

Found msg_refuse(const Rule& rule, const Asked& asked) {
  const auto role = rule.text("role");
  for (const auto& one : asked.said) {
    if (role != "*" && one.role != role) {
      continue;
    }
    for (const auto name : rule.list("names")) {
      if (member(one.value, name)) {
        auto found = at_message(one, std::string(name));
        found.param = name;
        return found;
      }
    }
  }
  return std::nullopt;
}

Found content_null(const Rule&, const Asked& asked) {
  for (const auto& one : asked.said) {
    const auto content = member(one.value, "content");
    if (content && content->is_null()) {
      return at_message(one, std::string(one.role));
    }
  }
  return std::nullopt;
}

Found block_types(const Rule& rule, const Asked& asked) {
  Found found;
  for (const auto& one : asked.said) {
    each_block(one, [&](JsonObject block, std::size_t number) {
      const auto type = text_of(block, "type");
      if (!found && !contains(rule.list("types"), type)) {
        found = at_message(one, std::string(type));
        found->block = number;
      }
    });
    if (found) {
      break;
    }
  }
  return found;
}

Found no_image_in_tool_result(const Rule&, const Asked& asked) {
  for (const auto& one : asked.said) {
    if (one.role != "tool") {
      continue;
    }
    bool image = false;
    each_block(one, [&](JsonObject block, std::size_t) {
      const auto type = text_of(block, "type");
      image = image || type == "image_url" || type == "image";
    });
    if (image) {
      return at_message(one);
    }
  }
  return std::nullopt;
}

Found empty_text(const Rule&, const Asked& asked) {
  for (const auto& one : asked.said) {
    // Beside calls an empty content stands for none.
    bool empty = string_of(member(one.value, "content")) == "" && !present(one.value, "tool_calls");
    std::size_t at = 0;
    each_block(one, [&](JsonObject block, std::size_t number) {
      const bool text = text_of(block, "type") == "text";
      if (!empty && text && string_of(member(block, "text")) == "") {
        empty = true;
        at = number;
      }
    });
    if (empty) {
      auto found = at_message(one);
      found.block = at;
      return found;
    }
  }
  return std::nullopt;
}

Found cache_breakpoints(const Rule& rule, const Asked& asked) {
  std::size_t count = 0;
  const auto look = [&](JsonObject object) { count += has_cache_control(object) ? 1 : 0; };
  each_object(member(asked.body, "tools"), look);
  each_object(member(asked.body, "system"), look);
  for (const auto& one : asked.said) {
    each_block(one, [&](JsonObject block, std::size_t) { look(block); });
  }
  if (static_cast<double>(count) <= rule.number("max").value_or(0)) {
    return std::nullopt;
  }
  Violation found;
  found.value = std::to_string(count);
  return found;
}

Found item_ids(const Rule&, const Asked& asked) {
  constexpr std::size_t longest = 64;
  for (const auto& one : asked.said) {
    const auto id = string_of(member(one.value, "id"));
    const auto prefix = id_prefix(one.type);
    if (id && (!id->starts_with(prefix) || id->size() > longest)) {
      auto found = at_message(one, std::string(*id));
      found.want = prefix;
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace checks
}  // namespace understudy::testing::strict
