/// What reading and writing a request has in common for all protocols.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "text/json.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

using json::ondemand::raw_json_string;
using json::ondemand::value;
using Object = json::ondemand::object;

/// The value of a member of an object that is still to be read, without reading the others. The object
/// can be read from its begin afterwards, unless there is nothing: then it is malformed.
std::optional<std::string_view> peek(Object& object, std::string_view name, text::Arena& arena);

inline bool is_string(value& v) { return v.raw_json_token().starts_with('"'); }

/// Reads a request's members, and keeps the first thing that is wrong with them. Names of members are
/// given with their escapes resolved, so that no name is known in one spelling and unknown in another.
class RequestReader {
 public:
  explicit RequestReader(std::string_view body)
      : body_(body), parser_(json::padded_copy(body, arena_), arena_) {}

  text::Arena& arena() { return arena_; }

  /// Always false, to be returned.
  bool fail(std::string_view parameter, std::string_view what) {
    if (!fault_) {
      fault_.emplace(std::string(parameter) + ": " + std::string(what), std::string(parameter));
    }
    return false;
  }

  /// What reads a member, an element, and an object that says its type. (Functions by value: iterating is
  /// compiled once, where templates took a minute under a sanitizer.)
  using Member = std::function<bool(std::string_view name, value&)>;
  using Element = std::function<bool(value&)>;
  using Typed = std::function<bool(std::string_view type, Object&, std::string_view raw)>;

  /// The body as a whole, into `request`.
  ReadRequest read_body(Protocol own, Request& request, const Member& each);

  bool read(value& v, std::string_view parameter, std::string& into);
  bool read(value& v, std::string_view parameter, bool& into);
  template <class T>
  bool read(value& v, std::string_view parameter, std::optional<T>& into) {
    if (json::is_null(v)) {
      return true;
    }
    T read_value{};
    if (!read(v, parameter, read_value)) {
      return false;
    }
    into = read_value;
    return true;
  }
  bool read(value& v, std::string_view parameter, double& into);
  bool read(value& v, std::string_view parameter, std::uint64_t& into);
  bool read(value& v, std::string_view parameter, std::int64_t& into);

  /// A string, or an array of them.
  bool read(value& v, std::string_view parameter, std::vector<std::string>& into);

  /// JSON text that must be an object.
  bool read_object(value& v, std::string_view parameter, std::string& into);
  bool keep(std::string_view name, value& v, ExtraFields& extra);

  /// The definition of a tool that only its provider runs: what it is called, or its type.
  bool read_provider_tool(Object& tool, std::string_view type, Tool& into);

  /// A custom tool's `format`: text, or a grammar. `nested`: the grammar is an object in it, as Chat has it.
  bool read_tool_format(value& v, bool nested, Tool& tool);

  /// Calls `each` for the elements or members; a value of another type is a fault.
  bool array(value& v, std::string_view parameter, const Element& each);
  bool object(value& v, std::string_view parameter, const Member& each);
  bool members(const Object& object, const Member& each);

  /// Calls `each` for an object that says its type in a member, wherever.
  bool typed(value& v, std::string_view parameter, const Typed& each);

  /// A member of a part that is text, or a refusal.
  bool text_member(std::string_view name, value& v, TextPart& part) {
    if (name == "text" || name == "refusal") return read(v, name, part.text);
    return name == "type" || keep(name, v, part.extra);
  }
  template <class Parts>
  bool read_text(Object& object, bool refusal, Parts& parts) {
    TextPart part;
    part.refusal = refusal;
    const bool read = members(
        object, [&](std::string_view name, value& v) { return text_member(name, v, part); });
    parts.emplace_back(std::move(part));
    return read;
  }

  /// OpenAI's `tool_choice`: a word, or an object, of which `each` reads what names a function. A choice
  /// among tools that only OpenAI has is kept as it is.
  bool openai_tool_choice(value& v, Request& request, const Member& each);

 private:
  std::string_view body_;
  text::Arena arena_;
  json::Parser parser_;
  std::optional<RequestFault> fault_;
};

/// By the name that OpenAI's protocols have for it.
std::optional<Role> openai_role(std::string_view name);

/// Adds a message of that role; text of the system that opens the conversation goes into `system`.
void add_message(Request& request, Message message);

/// Adds what can stand in a tool's result; anything else is left out.
void add_content(ToolResultPart& result, Part part);

/// An image's address, which may be a data URL, and what it is read from.
std::string url_of(const ImagePart& image);
void set_url(ImagePart& image, std::string url);

/// Whether the text is a JSON object, all of it valid: it may then stand in a document of ours.
bool is_json_object(std::string_view text);

/// The arguments of a call as an object: `{}` if they are none.
std::string_view object_or_empty(std::string_view json);

template <class T>
void write_optional(JsonWriter& json, std::string_view name, const std::optional<T>& v) {
  if (v) {
    json.member(name, *v);
  }
}
inline void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) {
    json.member(name, text);
  }
}

/// What writers of requests share. Extra fields are written if they are this protocol's own.
class RequestWriter {
 protected:
  RequestWriter(const Request& asked, Protocol own, std::string& out)
      : request(asked), json(out), extras(asked.origin == own) {}

  void write_extra(const ExtraFields& extra);
  void write_stop(std::string_view name);

  /// Calls `each` to write the members of a tool that is a function.
  template <class Each>
  void write_tools(Each each) {
    json.key("tools").begin_array();
    for (const auto& tool : request.tools) {
      if (tool.provider_tool.empty()) {
        json.begin_object();
        each(tool);
        json.end_object();
      } else if (extras) {
        json.raw(tool.provider_tool);
      }
    }
    json.end_array();
  }
  /// Name, description and schema, which the protocols call differently.
  void write_function(const Tool& tool, std::string_view schema);

  /// OpenAI's `tool_choice`; calls `each` to write what names a function.
  template <class Each>
  void write_openai_tool_choice(Each each) {
    const auto word = openai_tool_choice();
    write_text(json, "tool_choice", word);
    if (request.tool_choice.mode == ToolChoice::Mode::named) {
      const bool custom = extras && request.tool_choice.form == ToolForm::custom;
      json.key("tool_choice").begin_object().member("type", custom ? "custom" : "function");
      each(request.tool_choice.name);
      json.end_object();
    }
    write_optional(json, "parallel_tool_calls", request.parallel_tool_calls);
  }

  /// All of the system's text, in paragraphs.
  std::string system() const;

  const Request& request;
  JsonWriter json;
  bool extras;

 private:
  std::string_view openai_tool_choice() const;
};

}  // namespace understudy::llm::detail
