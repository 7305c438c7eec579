// Checks of tools and their schemas.
#include <algorithm>
#include <set>

#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"
#include "text/ascii.hpp"

namespace understudy::testing::strict {
namespace {

Violation about_tool(const Tool& tool, std::string value) {
  Violation found;
  found.index = tool.index;
  found.value = std::move(value);
  return found;
}

/// A tool that the provider runs: bash_20250124, web_search_20260301, mcp_toolset.
bool is_server_tool(std::string_view type) {
  const auto date = type.rfind('_');
  return type == "mcp_toolset" ||
         (date != std::string_view::npos && type.size() - date == 9 &&
          type.substr(date + 1, 2) == "20" &&
          std::all_of(type.begin() + date + 1, type.end(), text::is_digit));
}

/// The first thing that a tool of that type needs and lacks.
std::string_view lacking(const Rule& rule, const Asked& asked, const Tool& tool) {
  const bool own = tool.type == "function" || tool.type == "custom" || tool.type == "namespace";
  if (own && tool.name.empty()) {
    return "name";
  }
  if (asked.backend.form == Form::messages && tool.type == "custom" &&
      !object_of(member(tool.value, "input_schema"))) {
    return "input_schema";
  }
  if (asked.backend.form == Form::responses && tool.type == "namespace" &&
      !array_of(member(tool.value, "tools"))) {
    return "tools";
  }
  for (const auto name : rule.list("need")) {
    const auto value = object_of(member(member(tool.value, tool.type), name));
    if (!value || value->begin() == value->end()) {
      return name;
    }
  }
  return {};
}

/// Paths are cut there: deeply nested schemas must not cost the square of their depth.
constexpr std::size_t longest_path = 100;

/// Calls `each(schema, path)` for a schema and the schemas in it, until it returns false.
template <class Each>
bool each_schema(Json schema, const std::string& path, Each& each) {
  const auto object = object_of(schema);
  if (!object) {
    return true;
  }
  if (!each(*object, path)) {
    return false;
  }
  constexpr std::string_view maps[] = {"properties", "patternProperties", "$defs", "definitions",
                                       "dependentSchemas"};
  constexpr std::string_view lists[] = {"anyOf", "oneOf", "allOf", "prefixItems", "items"};
  constexpr std::string_view single[] = {
      "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"};
  const auto among = [](auto& names, std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  for (const auto field : *object) {
    const auto below = [&](std::string_view inner) {
      auto name = path;
      for (const auto part : {field.key, inner}) {
        if (!part.empty() && name.size() < longest_path) {
          name.append(name.empty() ? "" : ".").append(part.substr(0, longest_path));
        }
      }
      return name;
    };
    const auto inside = object_of(field.value);
    const auto list = array_of(field.value);
    if (inside && among(maps, field.key)) {
      for (const auto inner : *inside) {
        if (!each_schema(inner.value, below(inner.key), each)) {
          return false;
        }
      }
    } else if (list && among(lists, field.key)) {
      for (const Json inner : *list) {
        if (!each_schema(inner, below({}), each)) {
          return false;
        }
      }
    } else if (inside && among(single, field.key)) {
      if (!each_schema(field.value, below({}), each)) {
        return false;
      }
    }
  }
  return true;
}

bool uses_keyword(JsonObject schema, std::string_view keyword) {
  if (keyword == "$ref_not_defs") {
    const auto reference = string_of(member(schema, "$ref"));
    return reference && !reference->starts_with("#/$defs/");
  }
  if (keyword == "enum_without_type") {
    return member(schema, "enum") && !member(schema, "type");
  }
  if (keyword == "pattern_unanchored") {
    const auto pattern = string_of(member(schema, "pattern"));
    return pattern && !(pattern->starts_with('^') && pattern->ends_with('$'));
  }
  return member(schema, keyword).has_value();
}

}  // namespace

namespace checks {

Found tool_shape(const Rule& rule, const Asked& asked) {
  const auto& types = rule.list("types");
  for (const auto& tool : asked.tools) {
    const bool taken =
        contains(types, tool.type) || (contains(types, "server") && is_server_tool(tool.type));
    if (!taken) {
      return about_tool(tool, std::string(tool.type));
    }
    if (const auto what = lacking(rule, asked, tool); !what.empty()) {
      auto found = about_tool(tool, std::string(tool.type));
      found.param = what;
      if (rule.list("need").empty()) {
        found.message =
            "tools[" + std::to_string(tool.index) + "]: " + std::string(what) + " is missing";
      }
      return found;
    }
  }
  return std::nullopt;
}

Found tool_unique(const Rule&, const Asked& asked) {
  std::set<std::string_view> names;
  for (const auto& tool : asked.tools) {
    if (!tool.name.empty() && tool.space.empty() && !names.insert(tool.name).second) {
      return about_tool(tool, std::string(tool.name));
    }
  }
  return std::nullopt;
}

Found schema_root(const Rule&, const Asked& asked) {
  for (const auto& tool : asked.tools) {
    if (!tool.schema) {
      continue;
    }
    const bool combined = member(tool.schema, "oneOf") || member(tool.schema, "anyOf") ||
                          member(tool.schema, "allOf");
    if (combined || text_of(tool.schema, "type") != "object") {
      return about_tool(tool, std::string(tool.name));
    }
  }
  return std::nullopt;
}

Found schema_keys(const Rule& rule, const Asked& asked) {
  for (const auto& tool : asked.tools) {
    Found found;
    auto look = [&](JsonObject schema, const std::string&) {
      if (const auto properties = object_of(member(schema, "properties"))) {
        for (const auto property : *properties) {
          if (!rule.pattern->matches(property.key)) {
            found = about_tool(tool, std::string(property.key));
            return false;
          }
        }
      }
      return true;
    };
    if (tool.schema && !each_schema(*tool.schema, {}, look)) {
      return found;
    }
  }
  return std::nullopt;
}

Found schema_keywords(const Rule& rule, const Asked& asked) {
  for (const auto& tool : asked.tools) {
    Found found;
    auto look = [&](JsonObject schema, const std::string& path) {
      for (const auto keyword : rule.list("names")) {
        if (uses_keyword(schema, keyword)) {
          found = about_tool(tool, "At path '" + path + "': " + std::string(keyword));
          found->param = keyword;
          return false;
        }
      }
      return true;
    };
    if (tool.schema && !each_schema(*tool.schema, {}, look)) {
      return found;
    }
  }
  return std::nullopt;
}

Found schema_properties(const Rule&, const Asked& asked) {
  for (const auto& tool : asked.tools) {
    if (object_of(tool.schema) && !object_of(member(tool.schema, "properties"))) {
      return about_tool(tool, std::string(tool.name));
    }
  }
  return std::nullopt;
}

}  // namespace checks
}  // namespace understudy::testing::strict
