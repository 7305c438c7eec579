#include "json_edit.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "json.hpp"
#include "json_tree.hpp"

namespace understudy::text {
namespace {

constexpr std::size_t nowhere = std::string_view::npos;

/// The edits below one place, by step.
struct EditNode {
  const JsonEdit* edit = nullptr;
  std::map<std::string, EditNode, std::less<>> members;
  std::map<std::size_t, EditNode> elements;
  std::vector<const JsonEdit*> appended;

  bool empty() const { return members.empty() && elements.empty() && appended.empty(); }
};

EditNode tree_of(const JsonEdits& edits) {
  EditNode root;
  for (const auto& edit : edits) {
    auto* node = &root;
    for (const auto& step : edit.path) {
      const auto* const name = step.name();
      node = name != nullptr ? &node->members[*name] : &node->elements[step.index()];
    }
    if (edit.kind == JsonEdit::Kind::append) {
      node->appended.push_back(&edit);
    } else {
      node->edit = &edit;
    }
  }
  return root;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Finds the ends of values in JSON text.
class Scanner {
 public:
  explicit Scanner(std::string_view json) : json_(json) {}

  std::size_t after_blanks(std::size_t at) const {
    while (at < json_.size() && is_blank(json_[at])) {
      ++at;
    }
    return at;
  }

  bool is(std::size_t at, char c) const { return at < json_.size() && json_[at] == c; }

  /// Behind the string that begins at `at`; nowhere if none does.
  std::size_t after_string(std::size_t at) const {
    if (!is(at, '"')) {
      return nowhere;
    }
    const auto begin = at + 1;
    for (auto quote = json_.find('"', begin); quote != nowhere;
         quote = json_.find('"', quote + 1)) {
      auto escapes = quote;  // an even number of backslashes before it: they escape each other
      while (escapes > begin && json_[escapes - 1] == '\\') {
        --escapes;
      }
      if ((quote - escapes) % 2 == 0) {
        return quote + 1;
      }
    }
    return nowhere;
  }

  /// Behind the value that begins at `at`; nowhere if none does.
  std::size_t after_value(std::size_t at) const {
    if (at >= json_.size()) {
      return nowhere;
    }
    if (json_[at] == '"') {
      return after_string(at);
    }
    return json_[at] == '{' || json_[at] == '[' ? after_brackets(at) : after_scalar(at);
  }

 private:
  std::size_t after_scalar(std::size_t at) const {
    const auto end = std::min(json_.find_first_of(",]}{[\":", at), json_.size());
    auto last = end;
    while (last > at && is_blank(json_[last - 1])) {
      --last;
    }
    return last == at ? nowhere : last;
  }

  std::size_t after_brackets(std::size_t at) const {
    std::size_t depth = 0;
    while (at < json_.size()) {
      const char c = json_[at];
      if (c == '"') {
        at = after_string(at);
        if (at == nowhere) {
          return nowhere;
        }
        continue;
      }
      ++at;
      if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return at;
      }
    }
    return nowhere;
  }

  std::string_view json_;
};

/// A key or an element and its value, in offsets of the text.
struct Item {
  std::size_t begin;
  std::size_t key_end;  // of an element: begin
  std::size_t value;
  std::size_t end;
};

/// Calls `each(item, more)` for every member or element of the object or array at `at`, `more` if another follows; it
/// may return false to stop. Returns where the last item ends (behind the bracket, if there is none), or nowhere if the
/// text is not well-formed.
template <class Each>
std::size_t walk(const Scanner& in, std::size_t at, bool object, Each each) {
  const char bracket = object ? '}' : ']';
  auto last = at + 1;
  at = in.after_blanks(last);
  if (in.is(at, bracket)) {
    return last;
  }
  while (true) {
    Item item{at, at, at, at};
    if (object) {
      item.key_end = in.after_string(at);
      if (item.key_end == nowhere) {
        return nowhere;
      }
      const auto colon = in.after_blanks(item.key_end);
      if (!in.is(colon, ':')) {
        return nowhere;
      }
      item.value = in.after_blanks(colon + 1);
    }
    item.end = in.after_value(item.value);
    if (item.end == nowhere) {
      return nowhere;
    }
    const auto next = in.after_blanks(item.end);
    const bool more = in.is(next, ',');
    if (!more && !in.is(next, bracket)) {
      return nowhere;
    }
    last = item.end;
    if (!each(item, more) || !more) {
      return last;
    }
    at = in.after_blanks(next + 1);
  }
}

/// The name that a key says, its escapes resolved.
std::string_view name_of(std::string_view key, Arena& arena) {
  const auto inside = key.substr(1, key.size() - 2);
  return json::unescaped(inside, arena).value_or(inside);
}

class JsonEditor {
 public:
  explicit JsonEditor(std::string_view json) : json_(json), in_(json) {}

  std::optional<std::string> edited(const EditNode& root) {
    if (!edit(in_.after_blanks(0), root)) {
      return std::nullopt;
    }
    std::string out;
    out.reserve(json_.size());
    std::size_t at = 0;
    for (const auto& patch : patches_) {
      out.append(json_, at, patch.begin - at).append(patch.text);
      at = patch.end;
    }
    return out.append(json_, at);
  }

 private:
  struct Patch {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };

  /// Edits below the value at `at`.
  bool edit(std::size_t at, const EditNode& node) {
    if (in_.is(at, '{')) {
      return node.members.empty() || edit_items(at, node, true);
    }
    if (in_.is(at, '[')) {
      return (node.elements.empty() && node.appended.empty()) || edit_items(at, node, false);
    }
    return in_.after_value(at) != nowhere;
  }

  bool edit_items(std::size_t at, const EditNode& node, bool object) {
    std::set<const EditNode*> found;
    bool well_formed = true;
    bool any = false;           // is kept
    bool removing = false;      // the item before this one
    std::size_t removed = 0;    // where that begins
    std::size_t kept = at + 1;  // where the last one that is kept ends
    std::size_t index = 0;
    const auto end = walk(in_, at, object, [&](const Item& item, bool) {
      if (removing) {
        patches_.push_back({removed, item.begin, {}});
        removing = false;
      }
      const auto* const below = object ? member(item, node) : element(index++, node);
      if (below != nullptr && object) {
        found.insert(below);
      }
      if (below != nullptr && below->edit != nullptr &&
          below->edit->kind == JsonEdit::Kind::remove) {
        removing = true;
        removed = item.begin;
        return true;
      }
      well_formed = well_formed && (below == nullptr || apply(item, *below, object));
      any = true;
      kept = item.end;
      return well_formed;
    });
    if (end == nowhere || !well_formed) {
      return false;
    }
    // The last ones go with the comma before them.
    while (removing && !patches_.empty() && patches_.back().begin >= kept) {
      patches_.pop_back();
    }
    if (object) {
      add_missing(node, found, kept, any);
    } else {
      for (const auto* const edit : node.appended) {
        patches_.push_back({kept, kept, (any ? "," : "") + edit->value});
        any = true;
      }
    }
    if (removing) {
      patches_.push_back({kept, end, {}});
    }
    return true;
  }

  const EditNode* member(const Item& item, const EditNode& node) {
    const auto name = name_of(json_.substr(item.begin, item.key_end - item.begin), arena_);
    const auto below = node.members.find(name);
    return below == node.members.end() ? nullptr : &below->second;
  }

  static const EditNode* element(std::size_t index, const EditNode& node) {
    const auto below = node.elements.find(index);
    return below == node.elements.end() ? nullptr : &below->second;
  }

  bool apply(const Item& item, const EditNode& below, bool object) {
    if (below.edit == nullptr) {
      return edit(item.value, below);
    }
    if (below.edit->kind == JsonEdit::Kind::set) {
      patches_.push_back({item.value, item.end, below.edit->value});
      return true;
    }
    if (object) {
      patches_.push_back({item.begin, item.key_end, json::quoted(below.edit->value)});
    }
    return below.empty() || edit(item.value, below);
  }

  void add_missing(const EditNode& node, const std::set<const EditNode*>& found, std::size_t at,
                   bool comma) {
    for (const auto& [name, below] : node.members) {
      const bool there = found.contains(&below);
      if (!there && below.edit != nullptr && below.edit->kind == JsonEdit::Kind::set) {
        patches_.push_back(
            {at, at, (comma ? "," : "") + json::quoted(name) + ":" + below.edit->value});
        comma = true;
      }
    }
  }

  std::string_view json_;
  Scanner in_;
  Arena arena_;
  std::vector<Patch> patches_;
};

}  // namespace

JsonPath json_path(std::string_view dotted) {
  JsonPath path;
  each_name(dotted, [&](std::string_view name) { path.emplace_back(std::string(name)); });
  return path;
}

std::optional<std::string> edit_json(std::string_view json, const JsonEdits& edits) {
  return edits.empty() ? std::string(json) : JsonEditor(json).edited(tree_of(edits));
}

std::string_view json_at(std::string_view json, const JsonPath& path) {
  const Scanner in(json);
  Arena arena;
  auto at = in.after_blanks(0);
  for (const auto& step : path) {
    const auto* const name = step.name();
    if (!in.is(at, name != nullptr ? '{' : '[')) {
      return {};
    }
    auto found = nowhere;
    std::size_t index = 0;
    walk(in, at, name != nullptr, [&](const Item& item, bool) {
      const bool same =
          name == nullptr
              ? index++ == step.index()
              : name_of(json.substr(item.begin, item.key_end - item.begin), arena) == *name;
      found = same ? item.value : nowhere;
      return !same;
    });
    if (found == nowhere) {
      return {};
    }
    at = found;
  }
  const auto end = in.after_value(at);
  return end == nowhere ? std::string_view() : json.substr(at, end - at);
}

std::vector<std::string_view> json_elements(std::string_view array, std::size_t most) {
  const Scanner in(array);
  std::vector<std::string_view> elements;
  const auto at = in.after_blanks(0);
  if (in.is(at, '[')) {
    walk(in, at, false, [&](const Item& item, bool) {
      elements.push_back(array.substr(item.value, item.end - item.value));
      return elements.size() < most;
    });
  }
  return elements;
}

}  // namespace understudy::text
