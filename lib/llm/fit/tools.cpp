#include <algorithm>

#include "llm/fit/fitting.hpp"
#include "text/ascii.hpp"

namespace understudy::llm::detail {
namespace {

using text::JsonEdit;
using text::JsonPath;
using LossKind = Loss::Kind;

constexpr std::size_t deepest_schema = 64;

std::string_view name_of(const Fitting& fitting, const dom::element& tool) {
  const auto function = fitting.chat() ? member_of(tool, "function") : std::optional(tool);
  return function ? text_of(member_of(*function, "name")) : std::string_view();
}

/// Where a tool's schema is.
JsonPath schema_path(const Fitting& fitting, std::size_t index) {
  return fitting.anthropic()   ? JsonPath{"tools", index, "input_schema"}
         : fitting.responses() ? JsonPath{"tools", index, "parameters"}
                               : JsonPath{"tools", index, "function", "parameters"};
}

std::optional<dom::element> schema_of(const Fitting& fitting, const dom::element& tool) {
  const auto function = fitting.chat() ? member_of(tool, "function") : std::optional(tool);
  return function ? member_of(*function, fitting.anthropic() ? "input_schema" : "parameters")
                  : std::nullopt;
}

// --- schemas --------------------------------------------------------------------------------------

/// Takes out of a schema what a back end refuses.
class SchemaKeywords {
 public:
  SchemaKeywords(Fitting& fitting, const BackEndRule& rule, std::string_view tool)
      : fitting_(fitting),
        tool_(tool),
        patterns_(contains(rule.names, "pattern_unanchored")),
        enums_(contains(rule.names, "enum_without_type")),
        references_(contains(rule.names, "$ref_not_defs")) {}

  void fit(const JsonPath& path, const dom::element& schema, std::size_t depth = 0) {
    dom::object members;
    if (depth == deepest_schema || schema.get(members) != simdjson::SUCCESS) {
      return;
    }
    for (const auto field : members) {
      const auto here = step(path, std::string(field.key));
      if (field.key == "pattern" && patterns_ && field.value.is_string()) {
        const auto pattern = text_of(field.value);
        if (!pattern.starts_with('^') || !pattern.ends_with('$')) {
          remove(here);
        }
      } else if (field.key == "$ref" && references_ &&
                 !text_of(field.value).starts_with("#/$defs/")) {
        remove(here);
      } else if (field.key == "enum" && enums_ && !member_of(schema, "type")) {
        fitting_.edits.push_back(JsonEdit::set(step(path, "type"), type_of(field.value)));
      } else {
        below(here, field.value, depth + 1);
      }
    }
  }

 private:
  static JsonPath step(JsonPath path, text::JsonStep next) {
    path.push_back(std::move(next));
    return path;
  }

  void below(const JsonPath& path, const dom::element& value, std::size_t depth) {
    if (value.is_object()) {
      fit(path, value, depth);
    }
    each_element(value, [&](std::size_t index, const dom::element& element) {
      fit(step(path, index), element, depth);
    });
  }

  void remove(const JsonPath& path) {
    fitting_.edits.push_back(JsonEdit::remove(path));
    fitting_.losses.add(LossKind::changed, "schema of " + std::string(tool_));
  }

  static std::string type_of(const dom::element& values) {
    dom::array list;
    if (values.get(list) != simdjson::SUCCESS || list.begin() == list.end()) {
      return R"("string")";
    }
    const auto first = *list.begin();
    return first.is_string()   ? R"("string")"
           : first.is_bool()   ? R"("boolean")"
           : first.is_int64()  ? R"("integer")"
           : first.is_number() ? R"("number")"
                               : R"("string")";
  }

  Fitting& fitting_;
  std::string_view tool_;
  bool patterns_;
  bool enums_;
  bool references_;
};

/// Properties whose names the back end refuses are left out, here and in `required`, as are those of inner schemas.
class SchemaKeys {
 public:
  SchemaKeys(Fitting& fitting, const BackEndRule& rule, std::string_view tool)
      : fitting_(fitting), rule_(rule), tool_(tool) {}

  void fit(const JsonPath& path, const dom::element& schema, std::size_t depth = 0) {
    if (depth == deepest_schema) {
      return;
    }
    dom::object members;
    if (schema.get(members) != simdjson::SUCCESS) {
      each_element(schema, [&](std::size_t index, const dom::element& element) {
        fit(step(path, index), element, depth + 1);
      });
      return;
    }
    for (const auto field : members) {
      const auto here = step(path, std::string(field.key));
      if (field.key == "properties") {
        fit_properties(path, schema, field.value, depth);
      } else if (field.key != "enum" && field.key != "const" && field.key != "default" &&
                 field.key != "examples") {  // these have values, not schemas
        fit(here, field.value, depth + 1);
      }
    }
  }

 private:
  static JsonPath step(JsonPath path, text::JsonStep next) {
    path.push_back(std::move(next));
    return path;
  }

  bool takes(std::string_view key) const {
    return key.size() >= static_cast<std::size_t>(rule_.min.value_or(0)) &&
           key.size() <= static_cast<std::size_t>(rule_.max.value_or(64)) &&
           std::all_of(key.begin(), key.end(), [&](char c) {
             return text::is_lower(c) || text::is_upper(c) || text::is_digit(c) ||
                    rule_.characters.find(c) != std::string::npos;
           });
  }

  void fit_properties(const JsonPath& path, const dom::element& schema,
                      const dom::element& properties, std::size_t depth) {
    dom::object members;
    if (properties.get(members) != simdjson::SUCCESS) {
      return;
    }
    const auto here = step(path, "properties");
    for (const auto field : members) {
      if (takes(field.key)) {
        fit(step(here, std::string(field.key)), field.value, depth + 1);
        continue;
      }
      fitting_.edits.push_back(JsonEdit::remove(step(here, std::string(field.key))));
      fitting_.losses.add(LossKind::changed, "schema of " + std::string(tool_));
    }
    each_element(member_of(schema, "required"), [&](std::size_t index, const dom::element& name) {
      if (!takes(text_of(name))) {
        fitting_.edits.push_back(JsonEdit::remove(step(step(path, "required"), index)));
      }
    });
  }

  Fitting& fitting_;
  const BackEndRule& rule_;
  std::string_view tool_;
};

/// The root must be an object without alternatives.
void fit_root(Fitting& fitting, const JsonPath& path, const dom::element& schema,
              std::string_view tool) {
  bool changed = false;
  for (const char* const name : {"oneOf", "anyOf", "allOf"}) {
    if (member_of(schema, name)) {
      auto at = path;
      at.emplace_back(name);
      fitting.edits.push_back(JsonEdit::remove(at));
      changed = true;
    }
  }
  if (text_of(member_of(schema, "type")) != "object") {
    auto at = path;
    at.emplace_back("type");
    fitting.edits.push_back(JsonEdit::set(at, R"("object")"));
    changed = true;
  }
  if (changed) {
    fitting.losses.add(LossKind::changed, "schema of " + std::string(tool));
  }
}

// --- the list -------------------------------------------------------------------------------------

class Tools {
 public:
  explicit Tools(Fitting& fitting) : fitting_(fitting) {}

  void fit() {
    std::size_t offered = 0;
    each_element(fitting_.member("tools"), [&](std::size_t index, const dom::element& tool) {
      if (!dropped(index, tool)) {
        fit_schema(index, tool);
        ++kept_;
      }
      offered = index + 1;
    });
    if (offered > 0 && kept_ == 0 && fitting_.rule(Check::tool_shape) != nullptr) {
      fitting_.edits.push_back(JsonEdit::remove({"tools"}));
      fitting_.edits.push_back(JsonEdit::remove({"tool_choice"}));
      fitting_.edits.push_back(JsonEdit::remove({"parallel_tool_calls"}));
    }
  }

 private:
  bool dropped(std::size_t index, const dom::element& tool) {
    bool refused = false;
    std::string name(name_of(fitting_, tool));
    fitting_.each_rule(Check::tool_shape, [&](const BackEndRule& rule) {
      const auto type = text_of(member_of(tool, "type"));
      const bool known = type.empty() || contains(rule.names, type) || rule.names.empty() ||
                         (contains(rule.names, "server") && type != "function") ||
                         (type == "custom" && fitting_.anthropic());
      if (!known) {
        refused = true;
        name = std::string(type);
      }
    });
    fitting_.each_rule(Check::max_items, [&](const BackEndRule& rule) {
      refused = refused ||
                (rule.path == "tools" && rule.max && kept_ >= static_cast<std::size_t>(*rule.max));
    });
    if (refused) {
      fitting_.edits.push_back(JsonEdit::remove({"tools", index}));
      fitting_.losses.add(LossKind::dropped, "tool " + name);
    }
    return refused;
  }

  void fit_schema(std::size_t index, const dom::element& tool) {
    const auto path = schema_path(fitting_, index);
    const auto schema = schema_of(fitting_, tool);
    const bool function = text_of(member_of(tool, "type")) == "function" || fitting_.anthropic();
    if (!schema) {
      fitting_.each_rule(Check::tool_shape, [&](const BackEndRule& rule) {
        if (function && contains(rule.need, "parameters")) {
          fitting_.edits.push_back(JsonEdit::set(path, R"({"type":"object","properties":{}})"));
        }
      });
      return;
    }
    const auto name = name_of(fitting_, tool);
    fitting_.each_rule(Check::schema_root,
                       [&](const BackEndRule&) { fit_root(fitting_, path, *schema, name); });
    fitting_.each_rule(Check::schema_keywords, [&](const BackEndRule& rule) {
      SchemaKeywords(fitting_, rule, name).fit(path, *schema);
    });
    fitting_.each_rule(Check::schema_keys, [&](const BackEndRule& rule) {
      SchemaKeys(fitting_, rule, name).fit(path, *schema);
    });
    fitting_.each_rule(Check::schema_properties, [&](const BackEndRule&) {
      if (!member_of(*schema, "properties")) {
        auto at = path;
        at.emplace_back("properties");
        fitting_.edits.push_back(JsonEdit::set(at, "{}"));
      }
    });
  }

  Fitting& fitting_;
  std::size_t kept_ = 0;
};

}  // namespace

void fit_tools(Fitting& fitting) { Tools(fitting).fit(); }

}  // namespace understudy::llm::detail
