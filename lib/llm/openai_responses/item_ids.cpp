#include "item_ids.hpp"

#include <algorithm>
#include <vector>

#include "llm/made_up_id.hpp"
#include "text/ascii.hpp"
#include "text/json.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail::openai_responses {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

/// An item of the input, and a copy of it without an id that was made up.
class ReturnedItem {
 public:
  bool read(json::ondemand::object object, text::Arena& arena) {
    return json::members(object, [&](raw_json_string key, value& v) {
      const auto name = json::name(key);
      if (name == "type") {
        reasoning_ = json::raw_string(v) == "reasoning";
        reference_ = json::raw_string(v) == "item_reference";
      } else if (name == "encrypted_content") {
        sealed_ = json::raw_string(v).value_or("") != "";
      } else if (name == "id" && is_made_up(json::text(v, arena))) {
        made_up_ = true;
        return true;
      }
      const auto text = json::raw(v);
      copy_ += copy_.empty() ? "{\"" : ",\"";
      copy_.append(name).append("\":").append(text);
      return !text.empty();
    });
  }

  /// A reference consists of its id. The request's reader refuses it.
  bool changed() const { return made_up_ && !reference_; }
  bool left_out() const { return reasoning_ && !sealed_; }
  std::string copy() const { return copy_.empty() ? "{}" : copy_ + "}"; }

 private:
  bool reasoning_ = false;
  bool reference_ = false;
  bool sealed_ = false;
  bool made_up_ = false;
  std::string copy_;
};

bool may_have_one(std::string_view json) {
  return json.find(made_up_mark) != std::string_view::npos;
}

/// The items of the input. (One document at a time: a thread has one parser.)
std::vector<std::string> items_of(std::string_view body) {
  std::vector<std::string> items;
  text::Arena arena;
  json::Parser parser(json::padded_copy(body, arena), arena);
  const auto object = parser.object();
  const bool read = object && json::members(*object, [&](raw_json_string key, value& v) {
                      if (json::name(key) != "input" || !v.raw_json_token().starts_with('[')) {
                        return !json::raw(v).empty();
                      }
                      return json::elements_of(v, [&](value& element) {
                        items.emplace_back(json::raw(element));
                        return !items.back().empty();
                      });
                    });
  return read ? items : std::vector<std::string>();
}

/// The item without an id that was made up; empty: it is left out. Nothing: it stays as it is.
std::optional<std::string> changed_item(const std::string& item) {
  if (!item.starts_with('{') || !may_have_one(item)) {
    return std::nullopt;
  }
  text::Arena arena;
  json::Parser parser(json::padded_copy(item, arena), arena);
  const auto object = parser.object();
  ReturnedItem returned;
  if (!object || !returned.read(*object, arena) || !returned.changed()) {
    return std::nullopt;
  }
  return returned.left_out() ? std::string() : returned.copy();
}

}  // namespace

std::string item_id(std::string_view prefix, std::string_view answer, std::size_t index) {
  constexpr std::size_t longest_answer = 44;
  std::string id(prefix);
  id += made_up_mark;
  // The end of a long id: some servers' begin alike.
  answer.remove_prefix(answer.size() - std::min(answer.size(), longest_answer));
  for (const char c : answer) {
    id += text::is_lower(text::lowered(c)) || text::is_digit(c) || c == '-' ? c : '_';
  }
  return id + "_" + std::to_string(index);
}

std::optional<std::string> without_made_up_ids(std::string_view body) {
  if (!may_have_one(body)) {
    return std::nullopt;
  }
  std::string input = "[";
  bool any = false;
  for (const auto& item : items_of(body)) {
    const auto changed = changed_item(item);
    any = any || changed.has_value();
    if (!changed || !changed->empty()) {
      input += input.size() > 1 ? "," : "";
      input += changed.value_or(item);
    }
  }
  return any ? with_members(body, {{"input", input + "]"}}) : std::nullopt;
}

}  // namespace understudy::llm::detail::openai_responses
