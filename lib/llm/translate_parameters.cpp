#include "translate_parameters.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "request_json.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/protocol_traits.hpp"

namespace understudy::llm::detail {
namespace {

using LossKind = Loss::Kind;

bool is_alternative(std::string_view name) {
  return name == "oneOf" || name == "anyOf" || name == "allOf";
}

/// protocols.md 8, rule 7: Anthropic wants an object at the root, without alternatives. Their properties become the
/// object's, none of them required.
std::string object_schema(const std::string& schema) {
  const auto whole = json::compact_object(schema);
  if (whole.empty()) {
    return {};
  }
  std::string out;
  JsonWriter object(out);
  object.begin_object().member("type", "object");
  std::string properties;
  std::set<std::string_view> named;
  const auto collect = [&](std::string_view of) {
    return json::each_member(of, [&](std::string_view name, std::string_view value) {
      if (named.insert(name).second) {
        properties.append(properties.empty() ? "\"" : ",\"")
            .append(name)
            .append("\":")
            .append(value);
      }
      return true;
    });
  };
  json::each_member(whole, [&](std::string_view name, std::string_view value) {
    if (name == "properties") {
      collect(value);
    } else if (is_alternative(name)) {
      json::each_element(value, [&](std::string_view branch) {
        return collect(json::member_of(branch, "properties"));
      });
    } else if (name != "type") {
      object.key(json::unescaped_text(std::string("\"").append(name).append("\""))).raw(value);
    }
    return true;
  });
  if (!properties.empty()) {
    object.key("properties").raw("{" + properties + "}");
  }
  object.end_object();
  return out;
}

bool is_object_schema(const std::string& schema) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(schema, arena), arena);
  const auto object = parser.object();
  bool is_object = false;
  bool alternatives = false;
  return object &&
         json::members(
             *object,
             [&](raw_json_string key, value& v) {
               alternatives = alternatives || key == "oneOf" || key == "anyOf" || key == "allOf";
               is_object = is_object || (key == "type" && json::text(v, arena) == "object");
               return true;
             }) &&
         is_object && !alternatives;
}

class Parameters {
 public:
  Parameters(Request& request, Losses& losses, const TranslationTarget& target, bool foreign)
      : request_(request),
        losses_(losses),
        target_(target),
        foreign_(foreign),
        rules_(traits_of(target.protocol).rules) {}

  void translate() {
    tools();
    thinking();
    sampling();
    stop();
    output();
    if (refused("max_tokens")) drop(request_.max_tokens, "max_tokens");
    request_.output_limit = target_.output_limit;
    if (rules_.max_tokens_required && !request_.max_tokens) {
      losses_.add(LossKind::added, "max_tokens");  // the codec's
    }
    if (refused("parallel_tool_calls")) drop(request_.parallel_tool_calls, "parallel_tool_calls");
    if (refused("user")) drop(request_.user, "user");
  }

 private:
  bool refused(std::string_view name) const {
    return std::find(target_.refused.begin(), target_.refused.end(), name) != target_.refused.end();
  }

  /// OpenAI's strict asks more of a schema than Anthropic's.
  bool lacks_what_strict_asks() const {
    return request_.origin && rules_.strict == StrictSchema::openai &&
           traits_of(*request_.origin).rules.strict == StrictSchema::anthropic;
  }

  template <class T>
  void drop(std::optional<T>& parameter, const char* name) {
    if (parameter) {
      parameter.reset();
      losses_.add(LossKind::dropped, name);
    }
  }
  void drop(std::string& parameter, const char* name) {
    if (!parameter.empty()) {
      parameter.clear();
      losses_.add(LossKind::dropped, name);
    }
  }

  void tools() {
    std::erase_if(request_.tools, [&](const Tool& tool) {
      const bool unknown = !tool.provider_tool.empty() && foreign_;
      if (unknown) {
        losses_.add(LossKind::dropped, "tool " + tool.name);
      }
      return unknown;
    });
    for (auto& tool : request_.tools) {
      if (rules_.object_schemas && foreign_ && !tool.schema.empty() &&
          !is_object_schema(tool.schema)) {
        tool.schema = object_schema(tool.schema);
        losses_.add(LossKind::changed, "schema of " + tool.name);
      }
      if (tool.strict == true && lacks_what_strict_asks()) {
        tool.strict.reset();
        losses_.add(LossKind::dropped, "strict of " + tool.name);
      }
    }
    auto& choice = request_.tool_choice;
    const bool gone = choice.mode == ToolChoice::Mode::named &&
                      std::none_of(request_.tools.begin(), request_.tools.end(),
                                   [&](const Tool& tool) { return is_or_has(tool, choice.name); });
    if (gone) {
      choice = ToolChoice();
      losses_.add(LossKind::dropped, "tool_choice");
    }
  }

  /// Of a tool that is sent in its own protocol: it may be a namespace.
  static bool is_or_has(const Tool& tool, const std::string& name) {
    return tool.tools.empty() ? tool.name == name
                              : std::any_of(tool.tools.begin(), tool.tools.end(),
                                            [&](const Tool& t) { return t.name == name; });
  }

  void thinking() {
    using Mode = Thinking::Mode;
    auto& thinking = request_.thinking;
    if (refused("thinking")) {
      if (thinking.mode != Mode::unset) {
        thinking.mode = Mode::unset;
        losses_.add(LossKind::dropped, "thinking");
      }
      drop(thinking.display, "display of thinking");
    }
    if (refused("effort")) {
      drop(thinking.effort, "effort");
    }
    if (rules_.thinking == ThinkingForm::mode_and_budget) {
      thinking_by_mode();
      return;
    }
    if (thinking.mode == Mode::off || thinking.mode == Mode::budget) {
      losses_.add(LossKind::dropped, thinking.mode == Mode::off ? "thinking" : "budget_tokens");
    }
    thinking.mode = Mode::unset;
    if (rules_.thinking == ThinkingForm::effort || thinking.display == "omitted") {
      drop(thinking.display, "display of thinking");
    } else if (foreign_ && !thinking.display.empty()) {
      thinking.display = "auto";
      losses_.add(LossKind::changed, "display of thinking");
    }
  }

  void thinking_by_mode() {
    using Mode = Thinking::Mode;
    auto& thinking = request_.thinking;
    if (thinking.effort == "none") {
      thinking.effort.clear();
      thinking.mode = Mode::off;
      losses_.add(LossKind::changed, "effort");
    } else if (thinking.effort == "minimal") {
      thinking.effort = "low";
      losses_.add(LossKind::changed, "effort");
    }
    if (thinking.mode == Mode::budget && refused("budget_tokens")) {
      thinking.mode = Mode::adaptive;
      losses_.add(LossKind::changed, "budget_tokens");
    }
    if (foreign_ && !thinking.display.empty() && thinking.display != "summarized" &&
        thinking.display != "omitted") {
      drop(thinking.display, "display of thinking");
    }
    // Models that think by budget refuse to go on with a turn of calls that lacks its thinking.
    const auto& messages = request_.messages;
    const auto last_turn = std::find_if(messages.rbegin(), messages.rend(),
                                        [](const Message& m) { return m.role == Role::assistant; });
    const auto has = [&](auto holds) {
      return last_turn != messages.rend() &&
             std::any_of(last_turn->parts.begin(), last_turn->parts.end(), holds);
    };
    const bool in_loop = !messages.empty() && last_turn == messages.rbegin() + 1 &&
                         has([](const Part& p) { return std::holds_alternative<ToolCallPart>(p); });
    if (thinking.mode == Mode::budget && in_loop &&
        !has([](const Part& p) { return std::holds_alternative<ReasoningPart>(p); })) {
      thinking.mode = Mode::off;
      losses_.add(LossKind::changed, "thinking");
    }
  }

  void sampling() {
    using Mode = Thinking::Mode;
    auto& sampling = request_.sampling;
    const auto mode = request_.thinking.mode;
    const bool thinks =
        rules_.fixed_sampling_with_thinking && (mode == Mode::budget || mode == Mode::adaptive);
    if (refused("temperature") || (thinks && sampling.temperature != 1.0)) {
      drop(sampling.temperature, "temperature");
    }
    if (sampling.temperature.value_or(0) > rules_.highest_temperature) {
      sampling.temperature = rules_.highest_temperature;
      losses_.add(LossKind::changed, "temperature");
    }
    if (refused("top_p")) drop(sampling.top_p, "top_p");
    if (!rules_.top_k || thinks || refused("top_k")) drop(sampling.top_k, "top_k");
    if (!rules_.seed || refused("seed")) drop(sampling.seed, "seed");
  }

  void stop() {
    auto& stop = request_.stop;
    const auto before = stop.size();
    if (!rules_.blank_stops) {
      std::erase_if(stop, [](const std::string& text) {
        return text.find_first_not_of(" \t\r\n") == std::string::npos;
      });
    }
    stop.resize(refused("stop") ? 0 : std::min(stop.size(), rules_.most_stops));
    if (stop.size() < before) {
      losses_.add(LossKind::dropped, "stop");
    }
  }

  void output() {
    if (refused("output")) {
      drop(request_.output, "output");
    }
    if (rules_.output_needs_schema && request_.output && request_.output->schema.empty()) {
      losses_.add(LossKind::changed,
                  "output");  // any object: the codec writes a schema that says so
    }
  }

  Request& request_;
  Losses& losses_;
  const TranslationTarget& target_;
  bool foreign_;
  const RequestRules& rules_;
};

}  // namespace

void translate_parameters(Request& request, Losses& losses, const TranslationTarget& target,
                          bool foreign) {
  Parameters(request, losses, target, foreign).translate();
}

}  // namespace understudy::llm::detail
