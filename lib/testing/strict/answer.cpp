#include "testing/strict/answer.hpp"

#include <algorithm>

#include "testing/strict/answer_plan.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::testing::strict {
namespace {

using Calls = StrictAnswerOptions::Calls;

constexpr int most_examples = 500;  // values in the arguments of a call, at any depth
constexpr std::size_t bytes_per_token = 4;

/// A value that a schema allows, for its plain forms.
std::string example_of(std::optional<Json> schema, int& left) {
  if (--left < 0 || !object_of(schema)) {
    return R"("text")";
  }
  if (const auto constant = member(schema, "const")) {
    return minified(*constant);
  }
  if (const auto words = array_of(member(schema, "enum")); words && words->size() > 0) {
    return minified(*words->begin());
  }
  for (const auto* name : {"anyOf", "oneOf"}) {
    if (const auto choices = array_of(member(schema, name)); choices && choices->size() > 0) {
      return example_of(std::optional<Json>(*choices->begin()), left);
    }
  }
  auto type = text_of(schema, "type");
  if (const auto types = array_of(member(schema, "type")); types && types->size() > 0) {
    type = string_of(std::optional<Json>(*types->begin())).value_or("string");
  }
  if (type == "object" || (type.empty() && member(schema, "properties"))) {
    std::string out = "{";
    for (const auto name : strings_of(member(schema, "required"))) {
      if (left <= 0) {
        break;
      }
      out += (out.size() > 1 ? "," : "") + json_text(name) + ":" +
             example_of(member(member(schema, "properties"), name), left);
    }
    return out + "}";
  }
  if (type == "integer" || type == "number") {
    return shown(number_of(member(schema, "minimum")).value_or(1));
  }
  if (type == "array") {
    const bool one = number_of(member(schema, "minItems")).value_or(0) > 0;
    return one ? "[" + example_of(member(schema, "items"), left) + "]" : "[]";
  }
  return type == "boolean" ? "true" : type == "null" ? "null" : R"("text")";
}

bool is_result(const Said& one) {
  bool found = one.role == "tool" || one.type.ends_with("_output");
  each_object(member(one.value, "content"),
              [&](JsonObject block) { found = found || text_of(block, "type") == "tool_result"; });
  return found;
}

/// The last message, without those of the system behind it.
const Said* last_said(const Asked& asked) {
  const auto found = std::find_if(asked.said.rbegin(), asked.said.rend(), [](const Said& one) {
    return one.role != "system" && one.role != "developer";
  });
  return found == asked.said.rend() ? nullptr : &*found;
}

/// NAME in "CALL NAME".
std::string_view called_in(std::string_view text) {
  constexpr std::string_view marker = "CALL ";
  const auto at = text.find(marker);
  if (at == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(at + marker.size());
  return text.substr(0, text.find_first_of(" \n\t,;"));
}

std::string_view called_by(const Said& one) {
  const auto content = member(one.value, "content");
  auto name = called_in(string_of(content).value_or(std::string_view()));
  each_object(content, [&](JsonObject block) {
    name = name.empty() ? called_in(text_of(block, "text")) : name;
  });
  return name;
}

/// What the user's turn asks for: all messages since the last answer or result. Some back ends get the system's messages
/// as a user's, behind the user's own.
std::string_view called_in_turn(const Asked& asked) {
  for (auto one = asked.said.rbegin(); one != asked.said.rend(); ++one) {
    if (one->role == "system" || one->role == "developer") {
      continue;
    }
    if (one->role != "user" || is_result(*one)) {
      break;
    }
    if (const auto name = called_by(*one); !name.empty()) {
      return name;
    }
  }
  return {};
}

bool is_callable(const Tool& tool) { return tool.type == "function" || tool.type == "custom"; }

const Tool* tool_to_call(const Asked& asked, Calls calls) {
  const auto named = [&](std::string_view name) -> const Tool* {
    const auto found = std::find_if(asked.tools.begin(), asked.tools.end(), [&](const Tool& tool) {
      return is_callable(tool) && (name.empty() || tool.name == name);
    });
    return found == asked.tools.end() ? nullptr : &*found;
  };
  if (asked.choice() == "none") {
    return nullptr;
  }
  if (const auto forced = asked.forced_tool()) {
    return named(*forced);
  }
  const auto* const last = last_said(asked);
  if (last == nullptr || is_result(*last) || calls == Calls::never) {
    return nullptr;
  }
  if (const auto name = called_in_turn(asked); !name.empty()) {
    return named(name);
  }
  return calls == Calls::always ? named({}) : nullptr;
}

/// Whether the back end thinks, and shows it.
void plan_reasoning(const Asked& asked, const std::string& text, Plan& plan) {
  if (asked.backend.form == Form::responses) {
    const auto efforts = asked.model != nullptr ? asked.model->efforts("responses") : std::nullopt;
    const bool able = efforts ? !efforts->empty() : !asked.effort.empty();
    plan.reasons = able && asked.effort != "none";
  } else {
    plan.reasons = asked.thinking || (!asked.effort.empty() && asked.effort != "none");
  }
  const bool hidden = asked.backend.form == Form::chat &&
                      (asked.backend.family == "openai" || asked.backend.family == "azure" ||
                       asked.backend.family == "gemini");
  if (plan.reasons && !hidden) {
    plan.reasoning = text;
  }
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + "\"";
}

std::string echo(const Asked& asked, std::string_view name, std::string_view otherwise) {
  const auto value = member(asked.body, name);
  return value ? minified(*value) : std::string(otherwise);
}

std::string seal_of(const Asked& asked, std::optional<std::string_view> text) {
  Seal seal;
  seal.backend = asked.backend.id;
  seal.model = asked.facts.normalized(asked.model_name);
  seal.account = asked.account();
  seal.prefix = prefixes_of(asked).next;
  if (text) {
    seal.text = digest(*text);
  }
  return seal.write();
}

StrictAnswer answer_to(const Asked& asked, std::size_t request_bytes,
                       const StrictAnswerOptions& options) {
  Plan plan;
  plan.backend = asked.backend.id;
  plan.number = options.number;
  plan.input = std::max<std::uint64_t>(1, request_bytes / bytes_per_token);
  plan_reasoning(asked, options.reasoning, plan);
  if (const auto* const tool = tool_to_call(asked, options.calls)) {
    int left = most_examples;
    Call call;
    call.tool = tool;
    const auto own = options.arguments_of.find(tool->name);
    call.arguments = own != options.arguments_of.end() ? own->second
                     : !options.arguments.empty()      ? options.arguments
                     : tool->type == "custom" && asked.backend.form != Form::messages
                         ? std::string("text")
                         : example_of(tool->schema, left);
    call.arguments = call.arguments == R"("text")" ? "{}" : call.arguments;  // without a schema
    plan.call = std::move(call);
  } else {
    plan.text = options.text;
    if (plan.text.empty()) {
      plan.text =
          "This is an answer of the strict double of " + std::string(asked.backend.id) + ".";
    }
  }
  plan.output = spaced_words(plan.text).size() + plan.reasoning_tokens() + (plan.call ? 5 : 0);
  switch (asked.backend.form) {
    case Form::messages: return messages_answer(asked, plan);
    case Form::chat: return chat_answer(asked, plan);
    case Form::responses: return responses_answer(asked, plan);
  }
  return {};
}

}  // namespace understudy::testing::strict
