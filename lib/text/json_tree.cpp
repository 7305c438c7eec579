#include "json_tree.hpp"

#include <algorithm>

namespace understudy::json {

void Tree::set(std::string_view json) {
  parts_.reset();
  text_ = json.empty() ? "null" : json;
}

void Tree::append(std::string_view json) {
  if (json::is_null(json) || json == "\"\"") {
    if (null() && !json::is_null(json)) {
      set(json);
    }
  } else if (is_string(json) && !parts_ && is_string(text_)) {
    text_.pop_back();
    text_ += json.substr(1);
  } else if (is_array(json) && parts_ && parts_->array) {
    each_element(json, [&](std::string_view element) { return add(element) != nullptr; });
  } else if (is_array(json) && is_array(text_)) {
    if (json != "[]") {
      text_.pop_back();
      text_ += text_.size() > 1 ? "," : "";
      text_ += json.substr(1);
    }
  } else {
    set(json);
  }
}

void Tree::merge(std::string_view json, int depth) {
  if (json::is_null(json) || json == "\"\"") {
    append(json);
    return;
  }
  if (depth == 0 || !is_object(json) || !object() || !expand(false)) {
    set(json);
    return;
  }
  const bool merged = each_member(json, [&](std::string_view name, std::string_view value) {
    Tree* const part = member(name);
    if (part != nullptr) {
      part->merge(value, depth - 1);
    }
    return part != nullptr;
  });
  if (!merged) {
    set(json);
  }
}

/// Makes parts of the text. False: it has too many; the value stays text.
bool Tree::expand(bool array) {
  if (parts_) {
    return parts_->array == array;
  }
  auto parts = std::make_unique<Parts>(Parts{array, {}, {}});
  const auto text = std::move(text_);
  parts_ = std::move(parts);
  const bool whole =
      array ? each_element(text, [&](std::string_view value) { return add(value) != nullptr; })
            : each_member(text, [&](std::string_view name, std::string_view value) {
                Tree* const part = member(name);
                if (part != nullptr) {
                  part->set(value);
                }
                return part != nullptr;
              });
  if (!whole) {
    set(text);
  }
  return whole;
}

Tree* Tree::find_part(std::string_view name) {
  const auto& names = parts_->names;
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &parts_->values[std::size_t(found - names.begin())];
}

Tree* Tree::find(std::string_view name) {
  return object() && expand(false) ? find_part(name) : nullptr;
}

Tree* Tree::member(std::string_view name) {
  if (!object()) {
    set("{}");
  }
  if (!expand(false)) {
    return nullptr;
  }
  if (Tree* const found = find_part(name)) {
    return found;
  }
  if (parts_->names.size() == most_members) {
    return nullptr;
  }
  parts_->names.emplace_back(name);
  return &parts_->values.emplace_back();
}

std::size_t Tree::count() { return array() && expand(true) ? parts_->values.size() : 0; }

Tree* Tree::add(std::string_view json) { return add(Tree(json)); }

Tree* Tree::add(Tree&& element) {
  if (!array()) {
    set("[]");
  }
  if (!expand(true) || parts_->values.size() == most_elements) {
    return nullptr;
  }
  return &parts_->values.emplace_back(std::move(element));
}

void Tree::write(std::string& out) const {
  if (!parts_) {
    out += text_;
    return;
  }
  out += parts_->array ? '[' : '{';
  for (std::size_t i = 0; i < parts_->values.size(); ++i) {
    out += i > 0 ? "," : "";
    if (!parts_->array) {
      out += '"';
      out += parts_->names[i];
      out += "\":";
    }
    parts_->values[i].write(out);
  }
  out += parts_->array ? ']' : '}';
}

std::size_t Tree::length() const {
  if (!parts_) {
    return text_.size();
  }
  const auto count = parts_->values.size();
  std::size_t sum = 2 + (count > 0 ? count - 1 : 0);
  for (const auto& name : parts_->names) {
    sum += name.size() + 3;
  }
  for (const auto& value : parts_->values) {
    sum += value.length();
  }
  return sum;
}

}  // namespace understudy::json
