#include "codex_config.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "text/suggestions.hpp"
#include "text/toml.hpp"

namespace understudy::tool {
namespace {

using text::TomlNode;
using EnvKey = CodexProvider::EnvKey;

constexpr std::string_view table_name = "understudy";
constexpr std::string_view limit_key = "model_auto_compact_token_limit";

const TomlNode::Entry* find(const TomlNode::Table* table, std::string_view key) {
  if (table == nullptr) {
    return nullptr;
  }
  const auto found =
      std::find_if(table->begin(), table->end(), [&](const auto& e) { return e.key == key; });
  return found == table->end() ? nullptr : &*found;
}

const TomlNode::Table* table_in(const TomlNode::Table* table, std::string_view key) {
  const auto* const entry = find(table, key);
  return entry == nullptr ? nullptr : std::get_if<TomlNode::Table>(&entry->node.value);
}

const TomlNode::Table* provider_table(const TomlNode::Table& root) {
  return table_in(table_in(&root, "model_providers"), table_name);
}

/// The value as TOML has it, if it is of a kind that is written here.
std::string written(const TomlNode& node) {
  if (const auto* const text = std::get_if<std::string>(&node.value)) {
    return text::in_quotes(*text);
  }
  const auto* const number = std::get_if<std::int64_t>(&node.value);
  return number == nullptr ? std::string() : std::to_string(*number);
}

struct Key {
  std::string_view name;
  std::string value;  // as TOML has it; empty: the key must not be there
  bool any = false;   // another value stays
};

std::vector<Key> root_keys(const CodexProvider& provider, const TomlNode::Table& root) {
  std::vector<Key> keys;  // each is added before the one that was added before it
  if (const auto limit = provider.compact_limit) {
    const auto* const there = find(&root, limit_key);
    const auto* const theirs =
        there == nullptr ? nullptr : std::get_if<std::int64_t>(&there->node.value);
    const bool smaller =
        theirs != nullptr && *theirs > 0 && static_cast<std::uint64_t>(*theirs) <= *limit;
    keys.push_back({limit_key, std::to_string(*limit), smaller});
  }
  keys.push_back({"model_provider", text::in_quotes(table_name)});
  return keys;
}

std::vector<Key> provider_keys(const CodexProvider& provider) {
  std::vector<Key> keys{{"name", text::in_quotes(table_name), true},
                        {"base_url", text::in_quotes(provider.base_url)},
                        {"wire_api", text::in_quotes("responses")}};
  if (provider.env_key != EnvKey::kept) {
    const bool present = provider.env_key == EnvKey::present;
    keys.push_back({"env_key", present ? text::in_quotes(key_variable) : "", present});
  }
  return keys;
}

bool has(const TomlNode::Table* table, const Key& key) {
  const auto* const entry = find(table, key.name);
  if (entry == nullptr || key.value.empty()) {
    return (entry == nullptr) == key.value.empty();
  }
  return key.any || written(entry->node) == key.value;
}

/// Places in a text. Columns count characters; on a line that is edited here only ASCII comes before the value.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  std::size_t begin_of(std::uint32_t line) const {
    std::size_t at = 0;
    for (std::uint32_t i = 1; i < line && at < text_.size(); ++i) {
      at = std::min(text_.find('\n', at), text_.size() - 1) + 1;
    }
    return at;
  }

  /// Whether an entry has its line for itself, so that it can be removed, or another be written before it.
  bool alone(const TomlNode::Entry& entry) const {
    const auto begin = begin_of(entry.place.line);
    const auto before = text_.substr(begin, entry.place.column - 1);
    const auto rest = text_.substr(value_at(entry.node.place).second);
    const auto after = rest.substr(0, rest.find('\n'));
    const auto more = after.find_first_not_of(" \t\r");
    return before.find_first_not_of(" \t") == std::string_view::npos &&
           (more == std::string_view::npos || after[more] == '#');
  }

  /// The value that begins at a place ends before a comment, a comma or the line's end.
  std::pair<std::size_t, std::size_t> value_at(const text::SourcePlace& place) const {
    const auto begin = std::min(begin_of(place.line) + place.column - 1, text_.size());
    const char quote = begin < text_.size() ? text_[begin] : '\0';
    if (quote != '"' && quote != '\'') {
      return {begin, std::min(text_.find_first_of(" \t\r\n#,}", begin), text_.size())};
    }
    auto end = begin + 1;
    while (end < text_.size() && text_[end] != quote) {
      end += quote == '"' && text_[end] == '\\' ? 2 : 1;
    }
    return {begin, std::min(end + 1, text_.size())};
  }

 private:
  std::string_view text_;
};

std::string line_of(const Key& key) { return std::string(key.name) + " = " + key.value + "\n"; }

/// The text with a key as it must be, or nothing if it is written in a form that is not edited.
std::optional<std::string> with_key(std::string text, const TomlNode::Table& table, bool root,
                                    const Key& key) {
  const Lines lines(text);
  const auto* const entry = find(&table, key.name);
  if (entry == nullptr) {
    const bool marked = text.starts_with("\xef\xbb\xbf");
    if (root) {
      return text.insert(marked ? 3 : 0, line_of(key));
    }
    return table.empty() || !lines.alone(table.front())
               ? std::nullopt
               : std::optional(text.insert(lines.begin_of(table.front().place.line), line_of(key)));
  }
  if (key.value.empty()) {
    const auto begin = lines.begin_of(entry->place.line);
    const auto end = lines.begin_of(entry->place.line + 1);
    return lines.alone(*entry) ? std::optional(text.erase(begin, end - begin)) : std::nullopt;
  }
  const auto [begin, end] = lines.value_at(entry->node.place);
  return text.replace(begin, end - begin, key.value);
}

std::optional<std::string> with_table(std::string text, const CodexProvider& provider) {
  text += text.empty() || text.ends_with('\n') ? "" : "\n";
  text.append("\n[model_providers.").append(table_name).append("]\n");
  for (const auto& key : provider_keys(provider)) {
    text += key.value.empty() ? "" : line_of(key);
  }
  return text;
}

SourceResult<TomlNode> parsed(const std::string& file, std::string_view text) {
  auto result = text::parse_toml(text);
  if (const auto* const error = std::get_if<text::SourceError>(&result)) {
    return source_error(file, error->place, error->what, error->suggestion);
  }
  return std::get<TomlNode>(std::move(result));
}

text::SourceErrors not_editable(const std::string& file) {
  return source_error(file, {},
                      "has the provider `understudy` in a form that this program does not edit",
                      "add the settings by hand: without --write they are printed");
}

struct Missing {
  Key key;
  bool root;
};

std::optional<Missing> missing_key(const CodexProvider& provider, const TomlNode::Table& root,
                                   const TomlNode::Table* table) {
  for (auto& key : root_keys(provider, root)) {
    if (!has(&root, key)) {
      return Missing{std::move(key), true};
    }
  }
  for (auto& key : table == nullptr ? std::vector<Key>() : provider_keys(provider)) {
    if (!has(table, key)) {
      return Missing{std::move(key), false};
    }
  }
  return std::nullopt;
}

}  // namespace

SourceResult<std::string> with_codex_provider(const std::string& file, std::string_view text,
                                              const CodexProvider& provider) {
  std::string edited(text);
  // Each edit is parsed again, so that places are those of the text that the next one finds.
  constexpr int most_edits = 16;
  for (int edits = 0; edits < most_edits; ++edits) {
    const auto node = parsed(file, edited);
    if (node.has_error()) {
      return edits == 0 ? node.error() : not_editable(file);
    }
    const auto& root = std::get<TomlNode::Table>(node->value);
    const auto* const table = provider_table(root);
    const auto missing = missing_key(provider, root, table);
    if (!missing && table != nullptr) {
      return source_text(std::move(edited));
    }
    auto next = !missing
                    ? with_table(edited, provider)
                    : with_key(edited, missing->root ? root : *table, missing->root, missing->key);
    if (!next) {
      return not_editable(file);
    }
    edited = std::move(*next);
  }
  return not_editable(file);
}

}  // namespace understudy::tool
