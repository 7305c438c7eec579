#include <algorithm>
#include <array>

#include "llm/fit/fitting.hpp"
#include "llm/fit/short_ids.hpp"
#include "llm/known_texts.hpp"
#include "text/ascii.hpp"

namespace understudy::llm::detail {
namespace {

using text::JsonEdit;
using text::JsonPath;
using LossKind = Loss::Kind;

JsonPath below(JsonPath path, std::initializer_list<text::JsonStep> steps) {
  path.insert(path.end(), steps.begin(), steps.end());
  return path;
}

// --- ids of calls ---------------------------------------------------------------------------------

/// The rule about the ids of calls, if the back end has one.
struct IdRule {
  std::size_t longest = 0;
  bool exact = false;
  std::string_view characters;
};

bool is_call_id(std::string_view path) {
  return path == "messages[].tool_calls[].id" || path == "input[].call_id" ||
         path == "messages[].content[].tool_use.id";
}

std::optional<IdRule> id_rule(const Fitting& fitting) {
  std::optional<IdRule> found;
  const auto read = [&](const BackEndRule& rule) {
    if (is_call_id(rule.path)) {
      found.emplace();
      found->longest = static_cast<std::size_t>(rule.max.value_or(64));
      found->exact = rule.min && rule.max && *rule.min == *rule.max;
      found->characters =
          rule.check == Check::pattern ? std::string_view(rule.characters) : "_-.:/+=";
    }
  };
  fitting.each_rule(Check::max_len, read);
  fitting.each_rule(Check::pattern, read);
  return found;
}

bool fits(std::string_view id, const IdRule& rule) {
  return id.size() <= rule.longest && !(rule.exact && id.size() != rule.longest) &&
         std::all_of(id.begin(), id.end(), [&](char c) {
           return text::is_lower(c) || text::is_upper(c) || text::is_digit(c) ||
                  rule.characters.find(c) != std::string_view::npos;
         });
}

class Messages {
 public:
  explicit Messages(Fitting& fitting) : fitting_(fitting), ids_(id_rule(fitting)) {}

  void fit() {
    find_rules();
    if (fitting_.anthropic()) {
      fit_system();
    }
    each_element(fitting_.member(fitting_.conversation()),
                 [&](std::size_t index, const dom::element& message) {
                   fit_message({std::string(fitting_.conversation()), index}, message);
                 });
    fit_cache();
  }

 private:
  void find_rules() {
    fitting_.each_rule(Check::role, [&](const BackEndRule& rule) { roles_ = &rule.names; });
    fitting_.each_rule(Check::pattern, [&](const BackEndRule& rule) {
      server_ids_ = rule.path == "messages[].content[].server_tool_use.id" ? &rule : server_ids_;
    });
    no_mid_system_ =
        fitting_.rule(Check::model_mid_system) != nullptr && fitting_.facts.mid_system == false;
    blocks_ = fitting_.rule(Check::block_types);
    no_empty_text_ = fitting_.rule(Check::empty_text) != nullptr;
    needs_reasoning_ = fitting_.rule(Check::needs_reasoning_content);
    needs_signature_ = fitting_.rule(Check::needs_signature) != nullptr;
    null_content_ = fitting_.rule(Check::content_null) != nullptr;
    item_ids_ = fitting_.rule(Check::item_ids) != nullptr;
    signed_thinking_ = fitting_.rule(Check::signature) != nullptr;
    const auto store = fitting_.member("store");
    const bool stored = store && store->is_bool() && store->get_bool().value_unsafe();
    followed_ = fitting_.rule(Check::reasoning_followed) != nullptr && !stored;
  }

  void fit_system() {
    if (fitting_.back_end.owner) {
      return;
    }
    each_element(fitting_.member("system"), [&](std::size_t index, const dom::element& block) {
      if (text_of(member_of(block, "text")).starts_with(billing_text)) {
        fitting_.edits.push_back(JsonEdit::remove({"system", index}));
      }
    });
  }

  void fit_message(const JsonPath& path, const dom::element& message) {
    if (!message.is_object()) {
      return;
    }
    const auto role = text_of(member_of(message, "role"));
    fit_role(path, role);
    fitting_.each_rule(Check::msg_refuse, [&](const BackEndRule& rule) {
      if (rule.word == "*" || rule.word == role) {
        for (const auto& name : rule.names) {
          dom::element value;
          if (message[name].get(value) != simdjson::SUCCESS) {
            continue;
          }
          // SDKs send an assistant's message back with `refusal: null`, which counts there.
          fitting_.edits.push_back(JsonEdit::remove(below(path, {name})));
          if (!value.is_null()) {
            fitting_.losses.add(LossKind::dropped,
                                name.starts_with("reasoning") ? "reasoning" : "field " + name);
          }
        }
      }
    });
    if (fitting_.responses()) {
      fit_item(path, message);
      return;
    }
    fit_ids(path, message, "tool_call_id");
    each_element(member_of(message, "tool_calls"),
                 [&](std::size_t index, const dom::element& call) {
                   fit_ids(below(path, {"tool_calls", index}), call, "id");
                 });
    if (role == "assistant") {
      fit_assistant(path, message);
    }
    const auto content = member_of(message, "content");
    if (null_content_ && !content) {
      fitting_.edits.push_back(JsonEdit::set(below(path, {"content"}), "\"\""));
    }
    fit_blocks(below(path, {"content"}), content);
  }

  void fit_role(const JsonPath& path, std::string_view role) {
    std::string_view fitted = role;
    if (roles_ != nullptr && !role.empty() && !contains(*roles_, role)) {
      const std::string_view other = role == "developer" ? "system" : "developer";
      const bool instructs = role == "developer" || role == "system";
      fitted = !instructs ? role : contains(*roles_, other) ? other : "user";
    } else if (no_mid_system_ && role == "system") {
      fitted = "user";
    }
    if (fitted != role) {
      fitting_.edits.push_back(JsonEdit::set(below(path, {"role"}), json::quoted(fitted)));
    }
  }

  void fit_ids(const JsonPath& path, const dom::element& object, const char* name) {
    const auto id = text_of(member_of(object, name));
    if (ids_ && !id.empty() && !fits(id, *ids_)) {
      fitting_.edits.push_back(
          JsonEdit::set(below(path, {name}), json::quoted(short_id(id, ids_->longest))));
    }
  }

  /// The id of a call that the provider runs itself: another host's has no prefix, or another one.
  void fit_server_id(const JsonPath& path, const dom::element& block, const char* name) {
    const auto id = text_of(member_of(block, name));
    if (server_ids_ != nullptr && !id.empty() && !id.starts_with(server_ids_->prefix)) {
      constexpr std::size_t longest = 24;
      fitting_.edits.push_back(JsonEdit::set(
          below(path, {name}), json::quoted(server_ids_->prefix + short_id(id, longest))));
    }
  }

  void fit_assistant(const JsonPath& path, const dom::element& message) {
    const auto calls = member_of(message, "tool_calls");
    if (!is_array(calls)) {
      return;
    }
    if (needs_reasoning_ != nullptr && fitting_.thinks() &&
        !member_of(message, needs_reasoning_->word)) {
      // One space: an empty string counts as missing in some versions (BerriAI/litellm#28057).
      fitting_.edits.push_back(JsonEdit::set(below(path, {needs_reasoning_->word}), "\" \""));
    }
    if (!needs_signature_) {
      return;
    }
    each_element(calls, [&](std::size_t index, const dom::element& call) {
      if (index == 0 && !member_of(call, "extra_content")) {
        // The placeholder that Google documents for calls of other models.
        fitting_.edits.push_back(JsonEdit::set(
            below(path, {"tool_calls", index, "extra_content"}),
            R"({"google":{"thought_signature":"skip_thought_signature_validator"}})"));
      }
    });
  }

  void fit_blocks(const JsonPath& path, const std::optional<dom::element>& content) {
    each_element(content, [&](std::size_t index, const dom::element& block) {
      const auto here = below(path, {index});
      const auto type = text_of(member_of(block, "type"));
      if (type == "tool_use") {
        fit_ids(here, block, "id");
      } else if (type == "server_tool_use") {
        fit_server_id(here, block, "id");
      } else if (type == "tool_result") {
        fit_ids(here, block, "tool_use_id");
        fit_blocks(below(here, {"content"}), member_of(block, "content"));
      }
      if (type.ends_with("_tool_result") && type != "mcp_tool_result") {
        fit_server_id(here, block, "tool_use_id");
      }
      const bool thinking = type == "thinking" || type == "redacted_thinking";
      if (thinking && signed_thinking_ && type == "thinking" &&
          text_of(member_of(block, "signature")).empty()) {
        fitting_.edits.push_back(JsonEdit::remove(here));
        fitting_.losses.add(LossKind::dropped, "reasoning");
      } else if (no_empty_text_ && type == "text" && text_of(member_of(block, "text")).empty()) {
        fitting_.edits.push_back(JsonEdit::remove(here));
      } else if (blocks_ != nullptr && !type.empty() && !contains(blocks_->names, type)) {
        thinking ? fitting_.edits.push_back(JsonEdit::remove(here))
                 : fitting_.edits.push_back(JsonEdit::set(
                       here, R"({"type":"text","text":)" + json::quoted(left_out_text) + "}"));
        fitting_.losses.add(LossKind::dropped,
                            thinking ? std::string("reasoning") : "part " + std::string(type));
      }
      if (member_of(block, "cache_control")) {
        cached_.push_back(here);
      }
    });
  }

  // --- Responses ----------------------------------------------------------------------------------

  void fit_item(const JsonPath& path, const dom::element& item) {
    fit_ids(path, item, "call_id");
    const auto type = text_of(member_of(item, "type"));
    if (type == "reasoning" && followed_ && text_of(member_of(item, "encrypted_content")).empty()) {
      fitting_.edits.push_back(JsonEdit::remove(path));
      fitting_.losses.add(LossKind::dropped, "reasoning");
      unfollowed_ = true;
      return;
    }
    const auto id = text_of(member_of(item, "id"));
    if (!id.empty() && (unfollowed_ || (item_ids_ && !has_prefix(id, type)))) {
      fitting_.edits.push_back(JsonEdit::remove(below(path, {"id"})));
    }
    if (blocks_ != nullptr) {
      fit_blocks(below(path, {"content"}), member_of(item, "content"));
    }
  }

  /// Types that are not listed have ids that are not checked.
  static bool has_prefix(std::string_view id, std::string_view type) {
    struct Prefix {
      std::string_view type;
      std::string_view prefix;
    };
    constexpr std::array prefixes{Prefix{"message", "msg"},
                                  Prefix{"", "msg"},
                                  Prefix{"reasoning", "rs"},
                                  Prefix{"function_call", "fc"},
                                  Prefix{"function_call_output", "fc"},
                                  Prefix{"custom_tool_call", "ctc"},
                                  Prefix{"custom_tool_call_output", "ctc"},
                                  Prefix{"web_search_call", "ws"},
                                  Prefix{"compaction", "cmp"}};
    const auto* const found = std::find_if(prefixes.begin(), prefixes.end(),
                                           [&](const auto& one) { return one.type == type; });
    return id.size() <= 64 && (found == prefixes.end() || id.starts_with(found->prefix));
  }

  // --- caching ------------------------------------------------------------------------------------

  /// Of more breakpoints than the back end takes, the last ones count.
  void fit_cache() {
    const auto* const rule = fitting_.rule(Check::cache_breakpoints);
    if (rule == nullptr) {
      return;
    }
    std::vector<JsonPath> all;
    for (const char* const list : {"tools", "system"}) {
      each_element(fitting_.member(list), [&](std::size_t index, const dom::element& one) {
        if (member_of(one, "cache_control")) {
          all.push_back({list, index});
        }
      });
    }
    all.insert(all.end(), cached_.begin(), cached_.end());
    const auto most = static_cast<std::size_t>(rule->max.value_or(4));
    for (std::size_t i = 0; i + most < all.size(); ++i) {
      fitting_.edits.push_back(JsonEdit::remove(below(all[i], {"cache_control"})));
    }
  }

  Fitting& fitting_;
  std::optional<IdRule> ids_;
  const std::vector<std::string>* roles_ = nullptr;
  const BackEndRule* server_ids_ = nullptr;
  const BackEndRule* blocks_ = nullptr;
  const BackEndRule* needs_reasoning_ = nullptr;
  bool no_mid_system_ = false;
  bool no_empty_text_ = false;
  bool needs_signature_ = false;
  bool null_content_ = false;
  bool item_ids_ = false;
  bool signed_thinking_ = false;
  bool followed_ = false;
  bool unfollowed_ = false;  // a reasoning item was left out
  std::vector<JsonPath> cached_;
};

/// A user message may not follow a tool's: what it says goes to the end of the result.
void merge_after_tools(Fitting& fitting) {
  std::optional<dom::element> before;
  each_element(fitting.member("messages"), [&](std::size_t index, const dom::element& message) {
    const bool after_tool = before && text_of(member_of(*before, "role")) == "tool";
    const auto content = member_of(message, "content");
    if (after_tool && text_of(member_of(message, "role")) == "user") {
      const auto result = before ? member_of(*before, "content") : std::nullopt;
      if (content && content->is_string() && result && result->is_string()) {
        fitting.edits.push_back(JsonEdit::set(
            {"messages", index - 1, "content"},
            json::quoted(std::string(text_of(result)).append("\n\n").append(text_of(content)))));
        fitting.edits.push_back(JsonEdit::remove({"messages", index}));
        return;  // the tool's message is still the last one
      }
      fitting.edits.push_back(
          JsonEdit::set({"messages", index},
                        R"({"role":"assistant","content":"."},)" + simdjson::to_string(message)));
    }
    before = message;
  });
}

/// The last message has one of these roles.
void end_with(Fitting& fitting, const std::vector<std::string>& roles) {
  std::optional<std::size_t> last;
  std::string_view role;
  each_element(fitting.member("messages"), [&](std::size_t index, const dom::element& message) {
    last = index;
    role = text_of(member_of(message, "role"));
  });
  if (last && (role == "system" || role == "developer") && !contains(roles, role)) {
    fitting.edits.push_back(JsonEdit::set({"messages", *last, "role"}, R"("user")"));
  }
}

/// System messages come first, or only one does: a later one becomes the user's.
void demote_system(Fitting& fitting, bool one) {
  bool begun = false;
  each_element(fitting.member("messages"), [&](std::size_t index, const dom::element& message) {
    const auto role = text_of(member_of(message, "role"));
    const bool system = role == "system" || role == "developer";
    if (system && begun) {
      fitting.edits.push_back(JsonEdit::set({"messages", index, "role"}, R"("user")"));
      fitting.losses.add(LossKind::changed, "system message after the start of the conversation");
    }
    begun = begun || !system || one;
  });
}

/// One system message, at the beginning: the later ones are added to it. If that cannot be, they become the user's.
void merge_system(Fitting& fitting) {
  std::string text;
  std::vector<std::size_t> found;
  bool plain = true;
  each_element(fitting.member("messages"), [&](std::size_t index, const dom::element& message) {
    const auto role = text_of(member_of(message, "role"));
    if (role == "system" || role == "developer") {
      const auto content = member_of(message, "content");
      plain = plain && content && content->is_string();
      text.append(text.empty() ? "" : "\n\n").append(text_of(content));
      found.push_back(index);
    }
  });
  if (!found.empty() && (!plain || found.front() != 0)) {
    return demote_system(fitting, true);
  }
  if (found.size() < 2) {
    return;
  }
  fitting.edits.push_back(
      JsonEdit::set({"messages", found.front(), "content"}, json::quoted(text)));
  for (std::size_t i = 1; i < found.size(); ++i) {
    fitting.edits.push_back(JsonEdit::remove({"messages", found[i]}));
  }
  fitting.losses.add(LossKind::changed, "system message after the start of the conversation");
}

}  // namespace

void fit_messages(Fitting& fitting) {
  fitting.each_rule(Check::input_list, [&](const BackEndRule&) {
    if (const auto input = fitting.member("input"); input && input->is_string()) {
      fitting.set("input", R"([{"type":"message","role":"user","content":)" +
                               json::quoted(text_of(input)) + "}]");
    }
  });
  Messages(fitting).fit();
  fitting.each_rule(Check::role_order, [&](const BackEndRule& rule) {
    if (rule.no_user_after_tool) {
      merge_after_tools(fitting);
    }
    if (!rule.names.empty()) {
      end_with(fitting, rule.names);
    }
    if (rule.one_system) {
      merge_system(fitting);
    } else if (rule.system_first_only) {
      demote_system(fitting, false);
    }
  });
}

}  // namespace understudy::llm::detail
