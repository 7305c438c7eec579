// Checks of members and headers.
#include <algorithm>

#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"

namespace understudy::testing::strict {
namespace {

/// presence_penalty as presencePenalty.
std::string camel_case(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 < name.size()) {
      out += static_cast<char>(name[++i] - 'a' + 'A');
    } else {
      out += name[i];
    }
  }
  return out;
}

Violation with_param(std::string param) {
  Violation found;
  found.param = std::move(param);
  return found;
}

Violation with_value(std::string value, const Indices& indices = {}) {
  Violation found;
  found.value = std::move(value);
  if (!indices.empty()) {
    found.index = indices[0];
  }
  if (indices.size() > 1) {
    found.block = indices[1];
  }
  return found;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

bool is_empty(Json value) {
  const auto text = string_of(value);
  const auto list = array_of(value);
  return value.is_null() || (text && text->empty()) || (list && list->begin() == list->end());
}

bool has_beta(const Rule& rule, const Asked& asked) {
  const auto& wanted = rule.list("betas");
  const auto in_body = strings_of(member(asked.body, "anthropic_beta"));  // Vertex, Bedrock
  return std::any_of(wanted.begin(), wanted.end(), [&](std::string_view beta) {
    return contains(asked.betas, beta) || contains(in_body, beta);
  });
}

bool model_has(const Asked& asked, JsonObject wanted) {
  for (const auto field : wanted) {
    if (asked.model == nullptr || asked.model->text(field.key) != string_of(field.value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

namespace checks {

Found top_allow(const Rule& rule, const Asked& asked) {
  const auto& allowed = rule.list("allow");
  for (const auto field : asked.body) {
    if (!contains(allowed, field.key)) {
      return with_param(std::string(field.key));
    }
  }
  return std::nullopt;
}

Found top_refuse(const Rule& rule, const Asked& asked) {
  if (const auto wanted = object_of(member(rule.data, "when_model"));
      wanted && !model_has(asked, *wanted)) {
    return std::nullopt;
  }
  for (const auto name : rule.list("names")) {
    if (member(asked.body, name)) {
      return with_param(rule.flag("camel") ? camel_case(name) : std::string(name));
    }
  }
  const auto& both = rule.list("both");
  if (!both.empty() && std::all_of(both.begin(), both.end(), [&](std::string_view name) {
        return member(asked.body, name).has_value();
      })) {
    return with_param(std::string(both.front()));
  }
  const auto include = rule.text("include");
  if (!include.empty() && contains(strings_of(member(asked.body, "include")), include)) {
    return with_param("include");
  }
  return std::nullopt;
}

Found require(const Rule& rule, const Asked& asked) {
  if (rule.flag("unless_developer_first")) {
    // Codex 0.171 sends its own back end the tools first, and no instructions.
    const auto first = std::find_if(asked.said.begin(), asked.said.end(),
                                    [](const Said& one) { return one.type != "additional_tools"; });
    if (first != asked.said.end() && first->type == "message" && first->role == "developer") {
      return std::nullopt;
    }
  }
  for (const auto name : rule.list("names")) {
    const auto value = member(asked.body, name);
    if (!value || is_empty(*value)) {
      return with_param(std::string(name));
    }
  }
  return std::nullopt;
}

Found equals(const Rule& rule, const Asked& asked) {
  const auto value = rule.path.find(asked.body);
  if (!value) {
    return rule.flag("always") ? Found(with_param(std::string(rule.path.text()))) : std::nullopt;
  }
  const auto wanted = member(rule.data, "value");
  if (minified(*value) == minified(wanted.value())) {
    return std::nullopt;
  }
  auto found = with_value(shown(*value));
  found.param = rule.path.text();
  return found;
}

Found header_require(const Rule& rule, const Asked& asked) {
  const auto name = rule.text("name");
  const auto value = asked.headers.find(name);
  return value && !value->empty() ? std::nullopt : Found(with_param(std::string(name)));
}

Found header_beta(const Rule& rule, const Asked& asked) {
  const auto& known = rule.list("known");
  std::string others;
  for (const auto beta : asked.betas) {
    if (!contains(known, beta)) {
      others += (others.empty() ? "`" : ", `") + std::string(beta) + "`";
    }
  }
  return others.empty() ? std::nullopt : Found(with_param(std::move(others)));
}

Found gated(const Rule& rule, const Asked& asked) {
  Found found;
  rule.path.visit(asked.body, [&](Json, const Indices& indices) {
    if (!has_beta(rule, asked)) {
      found = with_value({}, indices);
      found->param = rule.path.at(indices);
    }
    return false;
  });
  return found;
}

Found max_len(const Rule& rule, const Asked& asked) {
  Found found;
  rule.path.visit(asked.body, [&](Json value, const Indices& indices) {
    const auto text = string_of(value);
    if (!text) {
      return true;
    }
    const auto size = static_cast<double>(characters(*text));
    const auto most = rule.number("max");
    const auto least = rule.number("min");
    if ((most && size > *most) || (least && size < *least)) {
      found = with_value(shown(size), indices);
      found->path = rule.path.at(indices);
      found->param = found->path;
    }
    return !found;
  });
  return found;
}

Found pattern(const Rule& rule, const Asked& asked) {
  Found found;
  rule.path.visit(asked.body, [&](Json value, const Indices& indices) {
    const auto text = string_of(value);
    if (text && !rule.pattern->matches(*text)) {
      found = with_value(std::string(*text), indices);
      found->path = rule.path.at(indices);
      found->param = found->path;
    }
    return !found;
  });
  return found;
}

Found max_items(const Rule& rule, const Asked& asked) {
  const auto list = array_of(rule.path.find(asked.body));
  const auto most = rule.number("max");
  return list && most && static_cast<double>(list->size()) > *most
             ? Found(with_value(std::to_string(list->size())))
             : std::nullopt;
}

Found number(const Rule& rule, const Asked& asked) {
  for (const auto& path : rule.paths()) {
    const auto value = number_of(path.find(asked.body));
    const auto most = rule.number("max");
    const auto least = rule.number("min");
    if (value && ((most && *value > *most) || (least && *value < *least))) {
      auto found = with_value(shown(*value));
      found.param = path.text();
      return found;
    }
  }
  return std::nullopt;
}

Found one_of(const Rule& rule, const Asked& asked) {
  const auto value = rule.path.find(asked.body);
  if (!value || value->is_null()) {
    return std::nullopt;
  }
  const auto text = string_of(value);
  if (text && contains(rule.list("values"), *text)) {
    return std::nullopt;
  }
  auto found = with_value(shown(*value));
  found.param = rule.path.text();
  return found;
}

Found stop_count(const Rule& rule, const Asked& asked) { return max_items(rule, asked); }

Found choice_string(const Rule& rule, const Asked& asked) { return one_of(rule, asked); }

Found input_list(const Rule&, const Asked& asked) {
  const auto input = present(asked.body, "input");
  return input && !input->is_array() ? Found(with_param("input")) : std::nullopt;
}

Found reserved_text(const Rule& rule, const Asked& asked) {
  const auto word = rule.text("text");
  const auto system = member(asked.body, "system");
  bool found = string_of(system).value_or(std::string_view()).find(word) != std::string_view::npos;
  each_object(system, [&](JsonObject block) {
    found = found || text_of(block, "text").find(word) != std::string_view::npos;
  });
  return found ? Found(with_param("system")) : std::nullopt;
}

}  // namespace checks
}  // namespace understudy::testing::strict
