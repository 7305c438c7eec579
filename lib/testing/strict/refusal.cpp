#include "testing/strict/refusal.hpp"

#include <algorithm>

#include "testing/strict/asked.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::testing::strict {
namespace {

constexpr std::size_t most_value = 300;  // bytes of what the client sent, in a message

std::string clipped(std::string_view text) {
  if (text.size() <= most_value) {
    return std::string(text);
  }
  auto end = most_value;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return std::string(text.substr(0, end)) + "...";
}

/// What a placeholder of a message stands for; nothing if it is none.
std::optional<std::string> filling(std::string_view name, const Violation& violation,
                                   const Asked& asked) {
  const auto number = [](std::optional<std::size_t> n) { return std::to_string(n.value_or(0)); };
  const std::pair<std::string_view, const std::string*> texts[] = {
      {"param", &violation.param}, {"value", &violation.value},   {"max", &violation.max},
      {"min", &violation.min},     {"values", &violation.values}, {"want", &violation.want},
      {"path", &violation.path},   {"model", &asked.model_name},
  };
  for (const auto& [known, text] : texts) {
    if (known == name) {
      return clipped(*text);
    }
  }
  if (name == "index") {
    return number(violation.index);
  }
  return name == "block" ? std::optional(number(violation.block)) : std::nullopt;
}

/// Fills in the placeholders of a message, once: what the client sent is not looked at again.
std::string filled(std::string_view text, const Violation& violation, const Asked& asked) {
  std::string out;
  while (!text.empty()) {
    const auto open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) {
      break;
    }
    text.remove_prefix(open);
    const auto close = text.find('}');
    const auto value = close == std::string_view::npos
                           ? std::nullopt
                           : filling(text.substr(1, close - 1), violation, asked);
    out += value ? *value : std::string("{");
    text.remove_prefix(value ? close + 1 : 1);
  }
  return out;
}

/// Writes an error form with its placeholders filled in: `{code|1210}` is the code, else "1210"; without an alternative
/// it is null.
class FormWriter {
 public:
  FormWriter(const ErrorFields& fields, JsonWriter& json) : fields_(fields), json_(json) {}

  void write(Json form) {
    if (const auto object = object_of(form)) {
      json_.begin_object();
      for (const auto field : *object) {
        json_.key(field.key);
        write(field.value);
      }
      json_.end_object();
    } else if (const auto list = array_of(form)) {
      json_.begin_array();
      for (const Json element : *list) {
        write(element);
      }
      json_.end_array();
    } else if (const auto text = string_of(form)) {
      write_text(*text);
    } else {
      json_.raw(minified(form));
    }
  }

 private:
  void write_text(std::string_view text) {
    constexpr std::string_view inside = "{message}";
    if (const auto at = text.find(inside); at != std::string_view::npos) {
      json_.value(std::string(text.substr(0, at)) + fields_.message +
                  std::string(text.substr(at + inside.size())));
      return;
    }
    if (!text.starts_with('{') || !text.ends_with('}')) {
      json_.value(text);
      return;
    }
    const auto name = text.substr(1, text.size() - 2);
    const auto bar = name.find('|');
    const auto otherwise = bar == std::string_view::npos
                               ? std::nullopt
                               : std::optional<std::string>(name.substr(bar + 1));
    const auto key = name.substr(0, bar);
    if (key == "status") {
      json_.value(fields_.status);
    } else if (key == "loc") {
      json_.begin_array();
      for (const auto& part : fields_.loc) {
        const bool number = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
        number ? json_.raw(part) : json_.value(part);
      }
      json_.end_array();
    } else {
      auto value = key == "type"    ? std::optional(fields_.type)
                   : key == "param" ? fields_.param
                   : key == "code"  ? fields_.code
                                    : std::optional(fields_.id);
      value = value && !value->empty() ? value : otherwise;
      value ? json_.value(*value) : json_.null();
    }
  }

  const ErrorFields& fields_;
  JsonWriter& json_;
};

}  // namespace

Refusal error_in(const Facts& facts, std::string_view shape, const ErrorFields& fields) {
  const auto form = member(member(facts.root(), "error_shapes"), shape);
  Refusal refusal;
  refusal.status = fields.status;
  refusal.message = fields.message;
  refusal.content_type = text_of(form, "content_type");
  if (const auto headers = object_of(member(form, "headers"))) {
    for (const auto field : *headers) {
      const auto value = string_of(field.value).value_or(std::string_view());
      refusal.headers.add(field.key, value == "{id}" ? std::string_view(fields.id) : value);
    }
  }
  JsonWriter json(refusal.body);
  FormWriter(fields, json).write(member(form, "body").value());
  return refusal;
}

Refusal refusal_by(const Rule& rule, const Violation& violation, const Asked& asked,
                   std::string_view request_id) {
  const auto data = member(rule.data, "refusal");
  ErrorFields fields;
  fields.status = static_cast<unsigned>(number_of(member(data, "status")).value_or(400));
  fields.message = violation.message.empty() ? filled(text_of(data, "message"), violation, asked)
                                             : clipped(violation.message);
  fields.type = text_of(data, "type");
  fields.id = request_id;
  if (const auto param = string_of(member(data, "param"))) {
    fields.param = filled(*param, violation, asked);
  }
  if (const auto code = string_of(member(data, "code"))) {
    fields.code = *code;
  }
  for (const auto part : strings_of(member(data, "loc"))) {
    fields.loc.push_back(filled(part, violation, asked));
  }
  auto shape = text_of(data, "shape");
  shape = shape.empty() ? text_of(asked.backend.data, "error_shape") : shape;
  auto refusal = error_in(asked.facts, shape, fields);
  refusal.rule_id = rule.id;
  refusal.param = fields.param && !fields.param->empty() ? *fields.param : violation.param;
  return refusal;
}

}  // namespace understudy::testing::strict
