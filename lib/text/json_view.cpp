#include "understudy/text/json_view.hpp"

#include <map>

#include "text/json_tree.hpp"

namespace understudy {

JsonView::Kind JsonView::kind() const noexcept {
  switch (text_.empty() ? 'n' : text_.front()) {
    case 'n': return Kind::null;
    case 't':
    case 'f': return Kind::boolean;
    case '"': return Kind::string;
    case '[': return Kind::array;
    case '{': return Kind::object;
    default: return Kind::number;
  }
}

std::string JsonView::string() const { return json::unescaped_text(text_); }

std::vector<JsonView> JsonView::elements() const {
  std::vector<JsonView> all;
  if (json::is_array(text_)) {
    json::each_element(text_, [&](std::string_view value) {
      all.emplace_back(value);
      return true;
    });
  }
  return all;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> all;
  std::map<std::string, std::size_t> places;
  json::each_member(text_, [&](std::string_view name, std::string_view value) {
    auto plain = json::unescaped_text("\"" + std::string(name) + "\"");
    const auto [place, added] = places.try_emplace(plain, all.size());
    if (added) {
      all.emplace_back(std::move(plain), JsonView(value));
    } else {
      all[place->second].second = JsonView(value);
    }
    return true;
  });
  return all;
}

std::string_view to_string(JsonView::Kind kind) noexcept {
  switch (kind) {
    case JsonView::Kind::null: return "null";
    case JsonView::Kind::boolean: return "a boolean";
    case JsonView::Kind::number: return "a number";
    case JsonView::Kind::string: return "a string";
    case JsonView::Kind::array: return "an array";
    case JsonView::Kind::object: return "an object";
  }
  return "a value";
}

JsonDocument::JsonDocument(std::string_view text) : compact_(json::compact_object(text)) {}

std::optional<JsonView> JsonDocument::root() const {
  return compact_.empty() ? std::nullopt : std::optional(JsonView(compact_));
}

}  // namespace understudy
