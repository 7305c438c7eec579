#include "property_names.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "text/ascii.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "tool_ids.hpp"

namespace understudy::llm::detail {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t deepest_properties = 64;
constexpr std::size_t deepest_arguments = 1024;
constexpr std::size_t longest_escape = 6;  // \u12ab

/// Whether the member of a schema holds values, and no schemas.
bool holds_values(std::string_view keyword) {
  return keyword == "enum" || keyword == "const" || keyword == "default" || keyword == "examples" ||
         keyword == "required";
}

/// Calls `each(name)` for every property in a schema, in its order, and `required(index, name)` for the elements of
/// `required`; `path` leads to the object that has it.
template <class Each, class Required>
class SchemaWalk {
 public:
  SchemaWalk(Each each, Required required) : each_(each), required_(required) {}

  void walk(const dom::element& schema) {
    dom::object members;
    dom::array elements;
    if (path.size() > deepest_properties) {
      return;
    }
    if (schema.get(elements) == simdjson::SUCCESS) {
      std::size_t index = 0;
      for (const dom::element element : elements) {
        below(index++, element);
      }
    } else if (schema.get(members) == simdjson::SUCCESS) {
      for (const auto field : members) {
        if (field.key == "properties") {
          properties(field.value);
        } else if (field.key == "required") {
          required(field.value);
        } else if (!holds_values(field.key)) {
          below(std::string(field.key), field.value);
        }
      }
    }
  }

  text::JsonPath path;

 private:
  template <class Step>
  void below(Step step, const dom::element& schema) {
    path.emplace_back(std::move(step));
    walk(schema);
    path.pop_back();
  }

  void properties(const dom::element& value) {
    dom::object members;
    if (value.get(members) != simdjson::SUCCESS) {
      return;
    }
    path.emplace_back("properties");
    for (const auto field : members) {
      path.emplace_back(std::string(field.key));
      each_(path, std::string_view(field.key));
      walk(field.value);
      path.pop_back();
    }
    path.pop_back();
  }

  void required(const dom::element& value) {
    dom::array names;
    if (value.get(names) != simdjson::SUCCESS) {
      return;
    }
    path.emplace_back("required");
    std::size_t index = 0;
    for (const dom::element one : names) {
      std::string_view name;
      if (one.get(name) == simdjson::SUCCESS) {
        path.emplace_back(index);
        required_(path, name);
        path.pop_back();
      }
      ++index;
    }
    path.pop_back();
  }

  Each each_;
  Required required_;
};

}  // namespace

bool PropertyRule::accepts(std::string_view name) const {
  return longest == 0 || (!name.empty() && name.size() <= longest &&
                          std::all_of(name.begin(), name.end(), [&](char c) {
                            return text::is_lower(c) || text::is_upper(c) || text::is_digit(c) ||
                                   characters.find(c) != std::string::npos;
                          }));
}

PropertyNames::Sent PropertyNames::of(std::string_view schema, const PropertyRule& rule) {
  dom::parser parser;
  dom::element root;
  if (rule.longest == 0 ||
      parser.parse(schema.data(), schema.size()).get(root) != simdjson::SUCCESS) {
    return {};
  }
  std::vector<std::string> refused;
  ToolIds ids(rule.longest, false, text::KeyedHash());
  const auto ignore = [](const text::JsonPath&, std::string_view) {};
  const auto look = [&](const text::JsonPath&, std::string_view name) {
    ids.reserve(name);
    if (!rule.accepts(name)) {
      refused.emplace_back(name);
    }
  };
  SchemaWalk(look, ignore).walk(root);
  if (refused.empty()) {
    return {};
  }
  auto names = std::make_shared<PropertyNames>();
  for (auto& name : refused) {
    if (names->by_client_.add(name).second) {
      names->sent_.push_back(ids.give(name));
      names->by_sent_.add(names->sent_.back());
      names->longest_ = std::max({names->longest_, name.size(), names->sent_.back().size()});
      names->clients_.push_back(std::move(name));
    }
  }
  text::JsonEdits edits;
  const auto rename = [&](const text::JsonPath& path, std::string_view name) {
    if (const auto* const sent = names->sent_for(name)) {
      edits.push_back(text::JsonEdit::rename(path, *sent));
    }
  };
  const auto require = [&](const text::JsonPath& path, std::string_view name) {
    if (const auto* const sent = names->sent_for(name)) {
      edits.push_back(text::JsonEdit::set(path, json::quoted(*sent)));
    }
  };
  SchemaWalk(rename, require).walk(root);
  auto edited = text::edit_json(schema, edits);
  return edited ? Sent{std::move(*edited), std::move(names)} : Sent{};
}

const std::string* PropertyNames::sent_for(std::string_view clients) const {
  const auto number = by_client_.find(clients);
  return number == text::NameTable<std::string>::none ? nullptr : &sent_[number];
}

const std::string* PropertyNames::clients_for(std::string_view sent) const {
  const auto number = by_sent_.find(sent);
  return number == text::NameTable<std::string>::none ? nullptr : &clients_[number];
}

std::string PropertyNames::arguments_sent(std::string_view json) const {
  // The renamer lives no longer than this call, so it owns nothing.
  KeyRenamer renamer(std::shared_ptr<const PropertyNames>(std::shared_ptr<void>(), this),
                     KeyRenamer::Direction::to_provider);
  std::string out(renamer.add(json));
  return out.append(renamer.end());
}

KeyRenamer::KeyRenamer(std::shared_ptr<const PropertyNames> names, Direction direction)
    : names_(std::move(names)), direction_(direction) {}

std::string_view KeyRenamer::add(std::string_view json) {
  out_.clear();
  for (std::size_t at = 0; at < json.size();) {
    switch (state_) {
      case State::between: at = between(json, at); break;
      case State::key: at = in_key(json, at); break;
      case State::text: at = in_text(json, at); break;
      case State::raw:
        out_.append(json, at);
        at = json.size();
        break;
    }
  }
  return out_;
}

std::string_view KeyRenamer::end() {
  out_ = std::exchange(key_, std::string());
  state_ = State::raw;
  return out_;
}

std::size_t KeyRenamer::between(std::string_view json, std::size_t at) {
  const auto next = std::min(json.find_first_of("\"{}[],", at), json.size());
  out_.append(json, at, next - at);
  if (next == json.size()) {
    return next;
  }
  const char c = json[next];
  if (c == '"') {
    if (wants_key_) {
      state_ = State::key;
      key_ = c;
      return next + 1;
    }
    state_ = State::text;
  } else if (c == '{' || c == '[') {
    objects_.push_back(c == '{');
    wants_key_ = c == '{';
    state_ = objects_.size() > deepest_arguments ? State::raw : state_;
  } else if (c == ',') {
    wants_key_ = !objects_.empty() && objects_.back();
  } else {
    wants_key_ = false;
    if (!objects_.empty()) {
      objects_.pop_back();
    }
  }
  out_ += c;
  return next + 1;
}

std::size_t KeyRenamer::in_key(std::string_view json, std::size_t at) {
  for (; at < json.size(); ++at) {
    const char c = json[at];
    key_ += c;
    if (c == '"' && !escape_) {
      settle_key();
      return at + 1;
    }
    escape_ = c == '\\' && !escape_;
    if (key_.size() > names_->longest() * longest_escape + 1) {  // not one of ours
      out_ += std::exchange(key_, std::string());
      wants_key_ = false;
      state_ = State::text;
      return at + 1;
    }
  }
  return at;
}

std::size_t KeyRenamer::in_text(std::string_view json, std::size_t at) {
  if (std::exchange(escape_, false)) {
    out_ += json[at];
    return at + 1;
  }
  const auto next = std::min(json.find_first_of("\"\\", at), json.size());
  out_.append(json, at, next - at);
  if (next == json.size()) {
    return next;
  }
  escape_ = json[next] == '\\';
  state_ = escape_ ? State::text : State::between;
  out_ += json[next];
  return next + 1;
}

void KeyRenamer::settle_key() {
  const auto written = std::exchange(key_, std::string());
  const auto name = json::unescaped_text(written);
  const auto* const other =
      direction_ == Direction::to_client ? names_->clients_for(name) : names_->sent_for(name);
  out_ += other == nullptr ? written : json::quoted(*other);
  wants_key_ = false;
  state_ = State::between;
}

}  // namespace understudy::llm::detail
