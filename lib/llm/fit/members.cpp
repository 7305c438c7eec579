#include <algorithm>
#include <array>
#include <cmath>

#include "llm/default_members.hpp"
#include "llm/fit/fitting.hpp"
#include "llm/fit/short_ids.hpp"
#include "llm/known_texts.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {
namespace {

/// What a member is called elsewhere.
struct OtherName {
  std::string_view name;
  std::string_view other;
};
constexpr std::array other_names{
    OtherName{"seed", "random_seed"},
    OtherName{"user", "safety_identifier"},
    OtherName{"safety_identifier", "user"},
};

/// Members that only help the client's own provider: nothing is lost for the client.
bool is_bookkeeping(std::string_view name) {
  constexpr std::array<std::string_view, 8> names{"prompt_cache_key",     "prompt_cache_retention",
                                                  "prompt_cache_options", "client_metadata",
                                                  "safety_identifier",    "user",
                                                  "stream_options",       "metadata"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The limit on the answer has several names, and the model's rules; see fit_model.
bool is_limit(std::string_view name) {
  return name == "max_tokens" || name == "max_completion_tokens";
}

/// A name from a client may have dots, so it is not a path.
void drop_member(Fitting& fitting, std::string_view name, const dom::element& value) {
  fitting.edits.push_back(text::JsonEdit::remove({std::string(name)}));
  if (!is_default_member(name, simdjson::to_string(value))) {
    fitting.losses.add(Loss::Kind::dropped,
                       (is_bookkeeping(name) ? "field " : "") + std::string(name));
  }
}

void keep_allowed(Fitting& fitting, const BackEndRule& rule) {
  dom::object members;
  if (fitting.root.get(members) != simdjson::SUCCESS) {
    return;
  }
  const bool has_limit =
      contains(rule.names, "max_tokens") || contains(rule.names, "max_completion_tokens");
  for (const auto field : members) {
    const auto name = field.key;
    if (name == "model" && fitting.back_end.model_in_path) {
      fitting.edits.push_back(text::JsonEdit::remove({"model"}));
      continue;
    }
    if (contains(rule.names, name) || (is_limit(name) && has_limit)) {
      continue;
    }
    const auto* const other =
        std::find_if(other_names.begin(), other_names.end(), [&](const OtherName& one) {
          return one.name == name && contains(rule.names, one.other) && !fitting.member(one.other);
        });
    if (other != other_names.end() && !field.value.is_null()) {
      fitting.edits.push_back(
          text::JsonEdit::rename({std::string(name)}, std::string(other->other)));
    } else {
      drop_member(fitting, name, field.value);
    }
  }
}

bool refuses(const ModelFacts& facts, std::string_view trait) {
  return trait == "stop" ? facts.refuses_stop : trait == "encrypted" && facts.refuses_encrypted;
}

std::string camel(std::string_view name) {
  std::string out;
  bool upper = false;
  for (const char c : name) {
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '_';
    if (upper) {
      out.pop_back();
    }
  }
  return out;
}

void drop_refused(Fitting& fitting, const BackEndRule& rule) {
  if (!rule.when_model.empty() && !refuses(fitting.facts, rule.when_model)) {
    return;
  }
  for (const auto& name : rule.names) {
    if (is_limit(name)) {
      continue;
    }
    if (const auto value = fitting.member(name)) {
      drop_member(fitting, name, *value);
    }
    if (const auto other = camel(name); rule.camel && other != name && fitting.member(other)) {
      fitting.drop(other);
    }
  }
  each_element(fitting.member("include"), [&](std::size_t index, const dom::element& one) {
    if (!rule.word.empty() && text_of(one) == rule.word) {
      fitting.edits.push_back(text::JsonEdit::remove({"include", index}));
    }
  });
}

/// Codex's tools may stand in front of its prompt.
bool begins_with_developer(const Fitting& fitting) {
  bool found = false;
  bool begins = false;
  each_element(fitting.member("input"), [&](std::size_t, const dom::element& item) {
    if (!found && text_of(member_of(item, "type")) != "additional_tools") {
      const auto role = text_of(member_of(item, "role"));
      found = true;
      begins = role == "developer" || role == "system";
    }
  });
  return begins;
}

void add_required(Fitting& fitting, const BackEndRule& rule) {
  if (contains(rule.names, "anthropic_version") && !fitting.member("anthropic_version")) {
    fitting.set("anthropic_version", R"("vertex-2023-10-16")");  // Vertex has it in the body
  }
  if (!contains(rule.names, "instructions") || !text_of(fitting.member("instructions")).empty() ||
      (rule.unless_developer_first && begins_with_developer(fitting))) {
    return;
  }
  fitting.set("instructions", json::quoted(plain_system_text));
  fitting.losses.add(Loss::Kind::added, "system text");
}

void set_value(Fitting& fitting, const BackEndRule& rule) {
  const auto value = fitting.at(rule.path);
  if (value ? simdjson::to_string(*value) != rule.word : rule.always) {
    fitting.set(rule.path, rule.word);
  }
}

std::string json_number(double number) {
  if (number == std::floor(number) && std::fabs(number) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  std::string out;
  JsonWriter(out).value(number);
  return out;
}

void clamp(Fitting& fitting, const BackEndRule& rule) {
  auto paths = rule.also;
  paths.push_back(rule.path);
  for (const auto& path : paths) {
    const auto value = number_of(fitting.at(path));
    if (!value || is_limit(path) || path == "max_output_tokens") {
      continue;
    }
    const auto fitted = std::clamp(*value, rule.min.value_or(*value), rule.max.value_or(*value));
    if (fitted != *value) {
      fitting.set(path, json_number(fitted));
      if (path == "n") {
        fitting.losses.add(Loss::Kind::changed, "n");
      }
    }
  }
}

/// A schema that cannot be enforced is asked for in words.
void weaken_format(Fitting& fitting) {
  const auto schema = fitting.at("response_format.json_schema.schema");
  fitting.set("response_format", R"({"type":"json_object"})");
  fitting.losses.add(Loss::Kind::changed, "output");
  const auto text = schema ? simdjson::to_string(*schema) : std::string("{}");
  fitting.instruct("Answer with a JSON object that follows this JSON Schema: " + text);
}

void choose_value(Fitting& fitting, const BackEndRule& rule) {
  const auto value = text_of(fitting.at(rule.path));
  if (value.empty() || contains(rule.names, value)) {
    return;
  }
  if (rule.path == "response_format.type") {
    weaken_format(fitting);
  } else if (!rule.names.empty()) {
    fitting.set(rule.path, json::quoted(rule.names.front()));
  }
}

/// Only the named tool is left, and one must be called.
void choose_by_word(Fitting& fitting, const BackEndRule& rule) {
  const auto choice = fitting.at(rule.path);
  if (!is_object(choice)) {
    return;
  }
  const auto function = member_of(*choice, "function");
  const auto name = function ? text_of(member_of(*function, "name")) : std::string_view();
  fitting.set(rule.path, R"("required")");
  fitting.losses.add(Loss::Kind::changed, "tool_choice");
  if (name.empty()) {
    return;
  }
  each_element(fitting.member("tools"), [&](std::size_t index, const dom::element& tool) {
    const auto of = member_of(tool, "function");
    if (!of || text_of(member_of(*of, "name")) != name) {
      fitting.edits.push_back(text::JsonEdit::remove({"tools", index}));
    }
  });
}

void choose_with_thinking(Fitting& fitting, const BackEndRule& rule) {
  const auto choice = fitting.at(rule.path);
  if (!choice || !fitting.thinks()) {
    return;
  }
  const auto& allowed = fitting.facts.tool_choice ? *fitting.facts.tool_choice : rule.names;
  if (choice->is_string() && contains(allowed, text_of(choice))) {
    return;
  }
  const auto& styles = fitting.facts.thinking;
  if (styles && contains(*styles, "disabled")) {
    fitting.set("thinking", R"({"type":"disabled"})");
    fitting.losses.add(Loss::Kind::changed, "thinking");
  } else {
    fitting.set(rule.path, R"("auto")");
    fitting.losses.add(Loss::Kind::changed, "tool_choice");
    fitting.instruct("Answer by calling a tool.");
  }
}

void shorten(Fitting& fitting, const BackEndRule& rule) {
  const auto longest = static_cast<std::size_t>(rule.max.value_or(0));
  if (longest == 0 || rule.path.find("[]") != std::string::npos) {
    return;  // ids: see fit_messages
  }
  const auto value = text_of(fitting.at(rule.path));
  const auto shortest = static_cast<std::size_t>(rule.min.value_or(0));
  if (!value.empty() && (value.size() > longest || value.size() < shortest)) {
    const bool user = rule.path == "user" || rule.path == "safety_identifier" ||
                      rule.path == "user_id" || rule.path == "metadata.user_id";
    fitting.set(rule.path, json::quoted(user ? hashed_user(value, fitting.target.user_salt, longest)
                                             : short_id(value, longest)));
  }
}

/// Claude Code's device and session are for Anthropic; a server that only speaks its protocol gets an anonymous user.
void hide_user(Fitting& fitting) {
  constexpr std::string_view path = "metadata.user_id";
  const auto user = anonymous_user(text_of(fitting.at(path)), fitting.target.user_salt);
  if (user && !fitting.back_end.owner) {
    fitting.set(path, json::quoted(*user));
  }
}

}  // namespace

void fit_members(Fitting& fitting) {
  hide_user(fitting);
  fitting.each_rule(Check::top_allow,
                    [&](const BackEndRule& rule) { keep_allowed(fitting, rule); });
  fitting.each_rule(Check::top_refuse,
                    [&](const BackEndRule& rule) { drop_refused(fitting, rule); });
  fitting.each_rule(Check::not_both, [&](const BackEndRule& rule) {
    if (rule.names.size() == 2 && fitting.member(rule.names[0]) && fitting.member(rule.names[1])) {
      fitting.remove(rule.names[1]);
    }
  });
  fitting.each_rule(Check::require, [&](const BackEndRule& rule) { add_required(fitting, rule); });
  fitting.each_rule(Check::equals, [&](const BackEndRule& rule) { set_value(fitting, rule); });
  fitting.each_rule(Check::number, [&](const BackEndRule& rule) { clamp(fitting, rule); });
  fitting.each_rule(Check::one_of, [&](const BackEndRule& rule) { choose_value(fitting, rule); });
  fitting.each_rule(Check::choice_string,
                    [&](const BackEndRule& rule) { choose_by_word(fitting, rule); });
  fitting.each_rule(Check::choice_with_thinking,
                    [&](const BackEndRule& rule) { choose_with_thinking(fitting, rule); });
  fitting.each_rule(Check::temperature_by_thinking, [&](const BackEndRule& rule) {
    const auto value = fitting.member(rule.path);
    if (value && fitting.facts.temperature_fixed) {
      drop_member(fitting, rule.path, *value);
    }
  });
  fitting.each_rule(Check::max_len, [&](const BackEndRule& rule) { shorten(fitting, rule); });
}

}  // namespace understudy::llm::detail
