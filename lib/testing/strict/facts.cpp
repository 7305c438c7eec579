#include "testing/strict/facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "testing/strict/checks.hpp"
#include "text/ascii.hpp"

namespace understudy::testing::strict {
namespace {

std::regex expression(std::string_view text) {
  return std::regex(text.begin(), text.end(), std::regex::ECMAScript);
}

Form form_of(std::string_view protocol) {
  if (protocol == "anthropic_messages") {
    return Form::messages;
  }
  if (protocol == "openai_chat") {
    return Form::chat;
  }
  if (protocol == "openai_responses") {
    return Form::responses;
  }
  throw std::runtime_error("backends.json: unknown protocol " + std::string(protocol));
}

Rule rule_of(JsonObject data) {
  Rule rule;
  rule.id = text_of(data, "id");
  rule.data = data;
  const auto kind = text_of(data, "check");
  rule.check = check_of(kind);
  if (rule.check == nullptr) {
    throw std::runtime_error("backends.json: unknown check " + std::string(kind));
  }
  if (const auto path = text_of(data, "path"); !path.empty()) {
    rule.path = Path(path);
  }
  if (const auto pattern = text_of(data, "pattern"); !pattern.empty()) {
    rule.pattern.emplace(pattern);
  }
  for (const auto field : data) {
    if (field.value.is_array()) {
      rule.lists.emplace(field.key, strings_of(field.value));
    }
  }
  const auto confidence = text_of(data, "confidence");
  rule.documented =
      (confidence == "doc" || confidence == "live") && text_of(data, "effect") != "advisory";
  return rule;
}

}  // namespace

std::string shown(double number) {
  std::array<char, 32> digits{};
  const bool whole = std::abs(number) < 1e15 && std::floor(number) == number;
  const auto result = whole ? std::to_chars(digits.data(), digits.data() + digits.size(),
                                            static_cast<std::int64_t>(number))
                            : std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), result.ptr};
}

std::vector<std::string_view> strings_of(std::optional<Json> list) {
  std::vector<std::string_view> all;
  if (const auto array = array_of(list)) {
    for (const Json element : *array) {
      if (const auto text = string_of(element)) {
        all.push_back(*text);
      }
    }
  }
  return all;
}

bool contains(const std::vector<std::string_view>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

const std::vector<std::string_view>& Rule::list(std::string_view name) const {
  static const std::vector<std::string_view> none;
  const auto found = lists.find(name);
  return found == lists.end() ? none : found->second;
}

std::vector<Path> Rule::paths() const {
  std::vector<Path> all = {path};
  for (const auto name : list("also")) {
    all.emplace_back(name);
  }
  return all;
}

std::optional<std::vector<std::string_view>> ModelFacts::list(std::string_view name) const {
  const auto found = member(data, name);
  return found && found->is_array() ? std::optional(strings_of(found)) : std::nullopt;
}

std::optional<std::vector<std::string_view>> ModelFacts::efforts(std::string_view endpoint) const {
  const auto found = member(data, "effort");
  if (found && found->is_array()) {
    return strings_of(found);
  }
  const auto own = member(found, endpoint);
  return own && own->is_array() ? std::optional(strings_of(own)) : std::nullopt;
}

bool ModelFacts::bound(std::string_view to) const {
  const auto how = member(member(data, "bound"), to);
  return bool_of(how).value_or(false) || string_of(how) == "silent";
}

const Rule* BackendFacts::rule_with(Check check) const {
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const Rule& rule) { return rule.check == check; });
  return found == rules.end() ? nullptr : &*found;
}

Facts::Facts(std::string json) : text_(std::move(json)) {
  if (parser_.parse(text_).get(root_) != simdjson::SUCCESS) {
    throw std::runtime_error("backends.json is not a JSON object");
  }
  read_steps();
  read_models();
  read_backends();
}

void Facts::read_steps() {
  const auto steps = array_of(member(member(root_, "model_normalization"), "steps"));
  for (const Json one : steps.value()) {
    Step step;
    step.lower = bool_of(member(one, "lower")).value_or(false);
    step.repeat = bool_of(member(one, "repeat")).value_or(false);
    step.global = bool_of(member(one, "global")).value_or(false);
    step.replace = expression(text_of(std::optional(one), "replace"));
    step.with = text_of(std::optional(one), "with");
    steps_.push_back(std::move(step));
  }
}

void Facts::read_models() {
  const auto models = array_of(member(root_, "models"));
  for (const Json one : models.value()) {
    ModelFacts model;
    model.data = object_of(one).value();
    model.match = expression(model.text("match"));
    for (const auto other : strings_of(member(model.data, "reads"))) {
      if (other != "self") {
        model.reads.push_back(expression(other));
      }
    }
    models_.push_back(std::move(model));
  }
}

void Facts::read_backends() {
  const auto backends = object_of(member(root_, "backends"));
  for (const auto field : backends.value()) {
    BackendFacts backend;
    backend.id = field.key;
    backend.data = object_of(field.value).value();
    backend.form = form_of(text_of(backend.data, "protocol"));
    const auto rules = array_of(member(backend.data, "rules"));
    for (const Json rule : rules.value()) {
      backend.rules.push_back(rule_of(object_of(rule).value()));
    }
    // Signatures of one Anthropic host are valid at the others; OpenAI, Codex, Azure and Bedrock seal on their own.
    backend.family = backend.rule_with(check_of("signature")) != nullptr
                         ? std::string_view("anthropic")
                         : text_of(backend.data, "preset");
    backends_.push_back(std::move(backend));
  }
}

std::string Facts::normalized(std::string_view model) const {
  std::string name(model);
  if (name.size() > longest_name) {
    return name;
  }
  for (const auto& step : steps_) {
    if (step.lower) {
      const auto first = name.find_first_not_of(" \t\r\n");
      const auto last = name.find_last_not_of(" \t\r\n");
      name = first == std::string::npos ? "" : name.substr(first, last - first + 1);
      std::transform(name.begin(), name.end(), name.begin(), text::lowered);
      continue;
    }
    for (bool again = true; again;) {
      const auto before = name;
      name = std::regex_replace(name, step.replace, step.with,
                                step.global ? std::regex_constants::format_default
                                            : std::regex_constants::format_first_only);
      again = step.repeat && name != before;
    }
  }
  return name;
}

const ModelFacts* Facts::model(std::string_view name) const {
  if (name.size() > longest_name) {
    return nullptr;
  }
  const auto id = normalized(name);
  const auto found = std::find_if(models_.begin(), models_.end(), [&](const ModelFacts& model) {
    return std::regex_search(id, model.match);
  });
  return found == models_.end() ? nullptr : &*found;
}

}  // namespace understudy::testing::strict
