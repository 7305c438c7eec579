#include "request_json.hpp"

#include <new>
#include <type_traits>

#include "text/numbers.hpp"

namespace understudy::llm::detail {
namespace {

/// The whole token. "9.0" is a whole number too.
template <class Number>
bool whole_number(std::string_view token, Number& into) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') {
    token.remove_suffix(1);
  }
  if constexpr (std::is_integral_v<Number>) {
    const auto point = token.find('.');
    if (point < token.size() && token.find_first_not_of('0', point + 1) == std::string_view::npos &&
        point + 1 < token.size()) {
      token = token.substr(0, point);
    }
  }
  const auto number = text::number_from<Number>(token);
  into = number.value_or(into);
  return number.has_value();
}

}  // namespace

ReadRequest RequestReader::read_body(Protocol own, Request& request, const Member& each) {
  request.origin = own;
  request.body = body_;
  request.stream = false;  // every API's default
  const auto object = parser_.object();
  if (!object) {
    return RequestFault(std::string("the body is not a JSON object: ") + parser_.why());
  }
  if (!members(*object, each)) {
    return fault_.value_or(RequestFault("the body is malformed JSON"));
  }
  if (request.model.empty()) {
    return RequestFault("model: is missing", "model");
  }
  return std::move(request);
}

bool RequestReader::read(value& v, std::string_view parameter, std::string& into) {
  const auto text = json::string(v, arena_);
  into = text.value_or(std::string_view());
  return text || fail(parameter, "must be a string");
}

bool RequestReader::read(value& v, std::string_view parameter, bool& into) {
  into = json::is_true(v);
  return into || v.raw_json_token().starts_with('f') || fail(parameter, "must be true or false");
}

bool RequestReader::read(value& v, std::string_view parameter, double& into) {
  return whole_number(v.raw_json_token(), into) || fail(parameter, "must be a number");
}

bool RequestReader::read(value& v, std::string_view parameter, std::uint64_t& into) {
  return whole_number(v.raw_json_token(), into) ||
         fail(parameter, "must be a whole number, not negative");
}

bool RequestReader::read(value& v, std::string_view parameter, std::int64_t& into) {
  return whole_number(v.raw_json_token(), into) || fail(parameter, "must be a whole number");
}

bool RequestReader::read_object(value& v, std::string_view parameter, std::string& into) {
  into = json::raw(v);
  return into.starts_with('{') || fail(parameter, "must be an object");
}

bool RequestReader::read(value& v, std::string_view parameter, std::vector<std::string>& into) {
  if (is_string(v)) {
    return read(v, parameter, into.emplace_back());
  }
  return array(v, parameter,
               [&](value& text) { return read(text, parameter, into.emplace_back()); });
}

bool RequestReader::keep(std::string_view name, value& v, ExtraFields& extra) {
  const auto text = json::raw(v);
  extra.emplace_back(name, text);
  return !text.empty() || fail(name, "is malformed");
}

bool RequestReader::read_provider_tool(Object& tool, std::string_view type, Tool& into) {
  into.name = type;
  return members(tool, [&](std::string_view key, value& v) {
    return key != "name" || !is_string(v) || read(v, "tools.name", into.name);
  });
}

bool RequestReader::read_tool_format(value& v, bool nested, Tool& tool) {
  if (!v.raw_json_token().starts_with('{')) {
    return true;
  }
  ToolGrammar grammar;
  const bool well_formed = object(v, "tools.format", [&](std::string_view key, value& m) {
    if (nested && key == "grammar") return read_tool_format(m, false, tool);
    if (key == "syntax" && is_string(m)) return read(m, "tools.format.syntax", grammar.syntax);
    return key != "definition" || !is_string(m) ||
           read(m, "tools.format.definition", grammar.definition);
  });
  if (!grammar.definition.empty()) {
    tool.grammar = std::move(grammar);
  }
  return well_formed;
}

bool RequestReader::array(value& v, std::string_view parameter, const Element& each) {
  json::ondemand::array elements;
  if (v.get_array().get(elements) != simdjson::SUCCESS) {
    return fail(parameter, "must be an array");
  }
  return json::elements(elements, [&](value& element) { return each(element); }) ||
         fail(parameter, "is malformed");
}

bool RequestReader::object(value& v, std::string_view parameter, const Member& each) {
  Object object;
  if (v.get_object().get(object) != simdjson::SUCCESS) {
    return fail(parameter, "must be an object");
  }
  return members(object, each) || fail(parameter, "is malformed");
}

bool RequestReader::members(const Object& object, const Member& each) {
  return json::members(object, [&](raw_json_string key, value& v) {
    const auto name = json::unescaped(json::name(key), arena_);
    return name && each(*name, v);
  });
}

bool RequestReader::typed(value& v, std::string_view parameter, const Typed& each) {
  Object object;
  std::string_view raw;
  if (v.get_object().get(object) != simdjson::SUCCESS) {
    return fail(parameter, "must be an object");
  }
  if (object.raw_json().get(raw) != simdjson::SUCCESS) {
    return fail(parameter, "is malformed");
  }
  object.reset();
  const auto type = peek(object, "type", arena_);
  return (type && each(*type, object, raw.substr(0, raw.rfind('}') + 1))) ||
         fail(parameter, "is malformed");
}

bool RequestReader::openai_tool_choice(value& v, Request& request, const Member& each) {
  using Mode = ToolChoice::Mode;
  auto& mode = request.tool_choice.mode;
  if (is_string(v)) {
    std::string word;
    if (!read(v, "tool_choice", word)) return false;
    mode = word == "auto"       ? Mode::automatic
           : word == "required" ? Mode::any
           : word == "none"     ? Mode::none
                                : Mode::unset;
    return mode != Mode::unset || fail("tool_choice", "must be auto, required, none or a tool");
  }
  return typed(v, "tool_choice", [&](std::string_view type, Object& choice, std::string_view raw) {
    if (type != "function" && type != "custom") {
      request.extra.emplace_back("tool_choice", raw);
      return true;
    }
    mode = Mode::named;
    request.tool_choice.form = type == "custom" ? ToolForm::custom : ToolForm::function;
    return members(choice, each);
  });
}

std::optional<std::string_view> peek(Object& object, std::string_view name, text::Arena& arena) {
  value found;
  const auto failure = object.find_field_unordered(name).get(found);
  if (failure != simdjson::SUCCESS && failure != simdjson::NO_SUCH_FIELD) {
    return std::nullopt;
  }
  const auto text = failure == simdjson::SUCCESS ? json::text(found, arena) : std::string_view();
  object.reset();
  return text;
}

std::optional<Role> openai_role(std::string_view name) {
  return name == "user"                            ? std::optional(Role::user)
         : name == "assistant"                     ? std::optional(Role::assistant)
         : name == "system" || name == "developer" ? std::optional(Role::system)
                                                   : std::nullopt;
}

void add_message(Request& request, Message message) {
  if (message.role != Role::system || !request.messages.empty()) {
    request.messages.push_back(std::move(message));
    return;
  }
  for (auto& part : message.parts) {
    if (auto* text = std::get_if<TextPart>(&part)) {
      request.system.push_back(std::move(*text));
    }
  }
}

void add_content(ToolResultPart& result, Part part) {
  if (auto* text = std::get_if<TextPart>(&part)) {
    result.content.emplace_back(std::move(*text));
  } else if (auto* image = std::get_if<ImagePart>(&part)) {
    result.content.emplace_back(std::move(*image));
  } else if (auto* opaque = std::get_if<OpaquePart>(&part)) {
    result.content.emplace_back(std::move(*opaque));
  }
}

std::string url_of(const ImagePart& image) {
  return image.url.empty() ? "data:" + image.media_type + ";base64," + image.base64 : image.url;
}

void set_url(ImagePart& image, std::string url) {
  constexpr std::string_view start = "data:";
  constexpr std::string_view middle = ";base64,";
  const auto end = url.find(middle);
  if (url.starts_with(start) && end != std::string::npos) {
    image.media_type = url.substr(start.size(), end - start.size());
    image.base64 = url.substr(end + middle.size());
  } else {
    image.url = std::move(url);
  }
}

bool is_json_object(std::string_view text) {
  if (text.empty()) {
    return false;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  if (failure == simdjson::MEMALLOC) {
    throw std::bad_alloc();  // says nothing about the text
  }
  return failure == simdjson::SUCCESS && root.is_object();
}

std::string_view object_or_empty(std::string_view json) {
  return is_json_object(json) ? json : std::string_view("{}");
}

void RequestWriter::write_extra(const ExtraFields& extra) {
  if (extras) {
    for (const auto& [name, text] : extra) {
      json.key(name).raw(text);
    }
  }
}

void RequestWriter::write_stop(std::string_view name) {
  if (request.stop.empty()) {
    return;
  }
  json.key(name).begin_array();
  for (const auto& stop : request.stop) {
    json.value(stop);
  }
  json.end_array();
}

void RequestWriter::write_function(const Tool& tool, std::string_view schema) {
  json.member("name", tool.name);
  write_text(json, "description", tool.description);
  json.key(schema).raw(is_json_object(tool.schema) ? std::string_view(tool.schema)
                                                   : R"({"type":"object","properties":{}})");
}

std::string_view RequestWriter::openai_tool_choice() const {
  using Mode = ToolChoice::Mode;
  switch (request.tool_choice.mode) {
    case Mode::automatic: return "auto";
    case Mode::any: return "required";
    case Mode::none: return "none";
    case Mode::unset:
    case Mode::named: break;
  }
  return {};
}

std::string RequestWriter::system() const {
  std::string joined;
  for (const auto& part : request.system) {
    joined += joined.empty() || part.text.empty() ? "" : "\n\n";
    joined += part.text;
  }
  return joined;
}

}  // namespace understudy::llm::detail
