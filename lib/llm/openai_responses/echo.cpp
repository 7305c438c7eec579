#include "echo.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "request.hpp"
#include "text/json.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

/// The JSON types that a member may have.
enum class Type : unsigned char { text, flag, number, integer, object, list, text_or_list, choice };

struct Row {
  std::string_view name;
  Type type;
  std::string_view otherwise;  // where the request has none, or one of another type
};

/// Sources: `ResponseResource` of openresponses/openresponses (schema/components/schemas), whose required members of
/// the request these are, and the defaults of OpenAI's API reference. `store`: nothing is stored unless the client
/// asked for it.
constexpr std::array rows{
    Row{"background", Type::flag, "false"},
    Row{"frequency_penalty", Type::number, "0"},
    Row{"instructions", Type::text_or_list, "null"},
    Row{"max_output_tokens", Type::integer, "null"},
    Row{"max_tool_calls", Type::integer, "null"},
    Row{"metadata", Type::object, "{}"},
    Row{"parallel_tool_calls", Type::flag, "true"},
    Row{"presence_penalty", Type::number, "0"},
    Row{"previous_response_id", Type::text, "null"},
    Row{"prompt_cache_key", Type::text, "null"},
    Row{"reasoning", Type::object, R"({"effort":null,"summary":null})"},
    Row{"safety_identifier", Type::text, "null"},
    Row{"service_tier", Type::text, R"("default")"},
    Row{"store", Type::flag, "false"},
    Row{"temperature", Type::number, "1"},
    Row{"text", Type::object, R"({"format":{"type":"text"}})"},
    Row{"tool_choice", Type::choice, R"("auto")"},
    Row{"tools", Type::list, "[]"},
    Row{"top_logprobs", Type::integer, "0"},
    Row{"top_p", Type::number, "1"},
    Row{"truncation", Type::text, R"("disabled")"},
    Row{"user", Type::text, "null"},
};

bool fits(std::string_view json, Type type) {
  const char first = json.empty() ? '\0' : json.front();
  const bool number = first == '-' || (first >= '0' && first <= '9');
  switch (type) {
    case Type::text: return first == '"';
    case Type::flag: return first == 't' || first == 'f';
    case Type::number: return number;
    case Type::integer: return number && json.find_first_of(".eE") == std::string_view::npos;
    case Type::object: return first == '{';
    case Type::list: return first == '[';
    case Type::text_or_list: return first == '"' || first == '[';
    case Type::choice: return first == '"' || first == '{';
  }
  return false;
}

/// Without line ends, which would end the event that it is written into.
std::string in_one_line(std::string_view json) {
  if (json.find_first_of("\r\n") == std::string_view::npos) {
    return std::string(json);
  }
  std::string out(json.size() + json::padding, '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size) != simdjson::SUCCESS) {
    return {};
  }
  out.resize(size);
  return out;
}

/// Calls `each` with the name and the JSON text of every member.
template <class Each>
bool members_of(std::string_view object, Each each) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(object, arena), arena);
  const auto read = parser.object();
  return read && json::members(*read, [&](raw_json_string key, value& v) {
           const auto name = json::name(key);
           const auto text = json::raw(v);
           each(name, text);
           return !text.empty();
         });
}

struct Missing {
  std::string_view name;
  std::string_view json;
};

/// The object with the members that it has to have.
template <std::size_t N>
std::string filled(std::string_view object, const std::array<Missing, N>& missing) {
  std::array<bool, N> found{};
  bool any = false;
  const bool read = members_of(object, [&](std::string_view name, std::string_view) {
    any = true;
    for (std::size_t i = 0; i < N; ++i) {
      found[i] = found[i] || missing[i].name == name;
    }
  });
  std::string out(object);
  if (!read) {
    return out;
  }
  out.pop_back();
  for (std::size_t i = 0; i < N; ++i) {
    if (!found[i]) {
      out.append(any ? ",\"" : "\"").append(missing[i].name).append("\":").append(missing[i].json);
      any = true;
    }
  }
  return out + "}";
}

constexpr std::array in_reasoning{Missing{"effort", "null"}, Missing{"summary", "null"}};
constexpr std::array in_text{Missing{"format", R"({"type":"text"})"}};
constexpr std::array in_function{Missing{"description", "null"}, Missing{"parameters", "null"},
                                 Missing{"strict", "null"}};

/// Functions with all that the schema wants of them; other tools as the client has them.
std::string tools_of(const std::string& list) {
  std::vector<std::string> tools;
  {
    text::Arena arena;
    json::Parser parser(json::padded_copy("{\"tools\":" + list + "}", arena), arena);
    const auto around = parser.object();
    const bool read = around && json::members(*around, [&](raw_json_string, value& v) {
                        return json::elements_of(v, [&](value& element) {
                          tools.emplace_back(json::raw(element));
                          return !tools.back().empty();
                        });
                      });
    if (!read) {
      return {};
    }
  }
  std::string out = "[";
  for (const auto& tool : tools) {
    bool function = false;
    members_of(tool, [&](std::string_view name, std::string_view json) {
      function = function || (name == "type" && json == "\"function\"");
    });
    out += out.size() > 1 ? "," : "";
    out += function ? filled(tool, in_function) : tool;
  }
  return out + "]";
}

}  // namespace

ExtraFields echo_of(const Request& asked) {
  std::string rendered;
  const bool own = asked.origin == Protocol::openai_responses && !asked.body.empty();
  if (!own) {
    write_request(asked, rendered);
  }
  ExtraFields echo;
  for (const auto& row : rows) {
    echo.emplace_back(row.name, row.otherwise);
  }
  members_of(own ? asked.body : rendered, [&](std::string_view name, std::string_view json) {
    const auto* const row =
        std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
    if (row == rows.end() || !fits(json, row->type)) {
      return;
    }
    if (auto text = in_one_line(json); !text.empty()) {
      echo[static_cast<std::size_t>(row - rows.begin())].second = std::move(text);
    }
  });
  for (auto& [name, json] : echo) {
    if (name == "reasoning") {
      json = filled(json, in_reasoning);
    } else if (name == "text") {
      json = filled(json, in_text);
    } else if (name == "tools") {
      auto tools = tools_of(json);
      json = tools.empty() ? "[]" : std::move(tools);
    }
  }
  return echo;
}

}  // namespace understudy::llm::detail::openai_responses
