/// A request as the checks see it: the parsed body, and what is derived from it and from the headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "testing/strict/facts.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::testing::strict {

/// A message, or an item of the input of Responses.
struct Said {
  std::size_t index = 0;
  JsonObject value;
  std::string_view type;  ///< of an item: "message", "function_call", ...; of a message, "message"
  std::string_view role;
  bool by_model = false;  ///< whether an answer contained it

  /// The list of content blocks; nothing if the content is a string or missing.
  std::optional<JsonArray> blocks() const { return array_of(member(value, "content")); }
};

/// A tool, also one in a namespace.
struct Tool {
  std::size_t index = 0;  ///< in `tools`
  JsonObject value;
  std::string_view type;  ///< "custom" for Messages if it is missing
  std::string_view name;
  std::string_view space;      ///< the namespace that it is in
  std::optional<Json> schema;  ///< of its arguments
};

/// Everything outlives it: facts, headers. Not movable: views are of its own parser.
class Asked {
 public:
  Asked(const Facts& all_facts, const BackendFacts& of, const HttpFields& fields,
        std::string_view request_target);
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  /// False: the body is not a JSON object.
  bool read(std::string_view text);

  const Facts& facts;
  const BackendFacts& backend;
  const HttpFields& headers;
  std::string_view target;

  JsonObject body;
  std::string model_name;             ///< as it was sent
  const ModelFacts* model = nullptr;  ///< nullptr: nothing is known of it
  std::vector<std::string_view> betas;
  std::vector<Said> said;
  std::vector<Tool> tools;

  bool thinking = false;
  std::string_view effort;  ///< empty: none was named

  /// The credential, or the account that a header names, as a digest.
  std::string account() const;
  bool streamed() const;
  /// The tool that must be called: its name, "" for any; nothing if none must be.
  std::optional<std::string_view> forced_tool() const;

  std::string_view choice() const;  ///< a tool choice that is a string, or its type

 private:
  void read_messages();
  void read_tools(std::optional<Json> list, std::string_view space);
  bool is_thinking() const;

  simdjson::dom::parser parser_;
  std::size_t tool_index_ = 0;
};

/// The values of all header fields of that name.
std::vector<std::string_view> values_of(const HttpFields& headers, std::string_view name);

/// Calls `each(element)` for every object in the list at `name`.
template <class Each>
void each_object(std::optional<Json> list, Each each) {
  if (const auto array = array_of(list)) {
    for (const Json element : *array) {
      if (const auto object = object_of(element)) {
        each(*object);
      }
    }
  }
}

}  // namespace understudy::testing::strict
