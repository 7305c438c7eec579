#include "config_pages.hpp"

#include <algorithm>
#include <regex>
#include <string_view>
#include <utility>
#include <vector>

#include "client/config/presets.hpp"
#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

constexpr std::size_t width = 115;

/// The length of the first word, which may be a span of code with spaces in it.
std::size_t end_of_word(std::string_view text) {
  bool in_code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    in_code = in_code != (text[i] == '`');
    if (!in_code && (text[i] == ' ' || text[i] == '\n')) {
      return i;
    }
  }
  return text.size();
}

/// Lines of at most `width` characters. A line's end in the text is kept.
std::string wrapped(std::string_view text, std::string_view first, std::string_view others) {
  std::string out;
  std::string line(first);
  bool empty = true;
  const auto end_line = [&] {
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    line = others;
    empty = true;
  };
  while (!text.empty()) {
    const auto end = end_of_word(text);
    const auto word = text.substr(0, end);
    if (!empty && line.size() + 1 + word.size() > width) {
      end_line();
    }
    line.append(empty ? "" : " ").append(word);
    empty = false;
    if (end < text.size() && text[end] == '\n') {
      end_line();
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  end_line();
  return out;
}

std::string with_capital(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

// --- the example ----------------------------------------------------------------------------------

/// A comment of TOML, where strings and sections need no backticks.
std::string comment(const std::string& text) {
  return std::regex_replace(wrapped(text, "# ", "# "), std::regex("`([\"\\[][^`]*)`"), "$1");
}

/// What begins before a section.
struct Part {
  std::string_view section;
  std::string_view title;
  std::string text;
};

std::string variables_of_presets() {
  std::string text;
  for (const auto name : preset_names()) {
    const auto variable = preset_of(name)->env;
    text += text.empty() ? "" : ", ";
    text.append(name).append(" ").append(variable.empty() ? "(none)" : variable);
  }
  return text;
}

std::vector<Part> parts() {
  return {
      {"model", "which members are asked", ""},
      {"fallback", "when and how", ""},
      {"providers.NAME", "providers",
       "A preset needs no section. Its key comes from an environment variable: " +
           variables_of_presets() +
           ".\nopenai speaks openai_chat and openai-codex openai_responses, both at "
           "https://api.openai.com/v1. For another back end that speaks openai_responses, behind a "
           "login, write its base_url and an oauth credential into [providers.openai-codex]."},
      {"routes", "other chains", ""},
      {"server", "the gateway", ""},
  };
}

std::string heading(std::string_view title) {
  constexpr std::size_t rule = 100;
  std::string line = "# --- " + std::string(title) + " ";
  return line + std::string(rule - line.size(), '-') + "\n";
}

std::string note(const KeyRow& row) {
  std::string text = row.documentation;
  const bool is_choice = row.type.starts_with('`');
  if (is_choice && text.find(row.type.substr(0, row.type.find('`', 1))) == std::string::npos) {
    text += " One of " + row.type + ".";
  }
  if (!row.bounds.empty()) {
    text += " " + with_capital(row.bounds) + ".";
  }
  if (!row.default_note.empty()) {
    text += " Default: " + row.default_note + ".";
  }
  return comment(text);
}

std::string line(const KeyRow& row) {
  const auto& example = row.long_example.empty() ? row.example : row.long_example;
  return (row.in_force ? "" : "#") + std::string(row.name) + " = " +
         (row.default_value.empty() ? example : row.default_value) + "\n";
}

/// Whether the tables of that key have a section of their own in the example.
bool has_section(const SectionRow& section, const KeyRow& row) {
  const auto path = std::string(section.name) + "." + std::string(row.name);
  return std::any_of(schema().sections().begin(), schema().sections().end(), [&](const auto& s) {
    return s.name.starts_with(path) && !s.example_header.empty();
  });
}

// --- the reference --------------------------------------------------------------------------------

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string codes(const std::vector<std::string_view>& words) { return list_of(words, "`"); }

std::string item(const KeyRow& row) {
  std::string text = "**" + code(row.name) + "**: " + row.type;
  if (!row.bounds.empty()) {
    text += " " + row.bounds;
  }
  if (row.required) {
    text += ", required";
  } else if (!row.default_note.empty()) {
    text += "; default: " + row.default_note;
  } else if (!row.default_value.empty()) {
    text += "; default " + code(row.default_value);
  }
  text += ". " + row.documentation;
  if (row.default_value.empty() && !row.example.empty()) {
    text += " Example: " + code(row.example) + ".";
  }
  if (!row.aliases.empty()) {
    text += " Other programs call it " + codes(row.aliases) + ".";
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return wrapped(text, "- ", "  ");
}

std::string presets_table() {
  std::string table = "| preset | protocol | base URL | key |\n| --- | --- | --- | --- |\n";
  for (const auto name : preset_names()) {
    const auto& preset = *preset_of(name);
    table += "| " + code(name) + " | " + code(llm::to_string(preset.protocol)) + " | " +
             (preset.base_url.empty() ? "must be written" : code(preset.base_url)) + " | " +
             (preset.env.empty() ? "none" : code(preset.env)) + " |\n";
  }
  return table;
}

constexpr std::string_view introduction = R"(# Configuration

`understudy` and the library's `load_config()` read one TOML file. This page is the reference of its keys;
`examples/understudy.toml` has the same keys as a file to copy. Both are written by `./dev configuration` from the
tables in `lib/client/config`, which also read the file: do not edit them by hand. Section numbers are stable.

## 1 Errors

`understudy check --config FILE` reports everything that is wrong with a file at once: the place, what is wrong, and
what to write instead. An unknown key is an error; where another key is close, or another program has a key of that
name, the message says which key was probably meant. A configuration with an error is refused as a whole. No message
quotes a value that could be a secret. A file is at most 1 MiB, and a table or list has at most 1000 entries.

## 2 Values

- A duration is a string with a unit: `ms`, `s`, `m` or `h`. It is above zero and at most a year.
- A size is a string with a unit: `B`, `KiB`, `MiB` or `GiB`.
- A key that is absent has its default. Where the default is "none", the key has no effect unless it is written.

## 3 Presets

A preset is a provider that needs no section: `[model]` and the other chains can name it. Its key comes from the
environment variable in the table.

)";

constexpr std::string_view inheritance = R"(
`[providers.NAME]` changes what differs from the preset of that name, or, with `preset`, from another one. A NAME that is
not a preset needs `protocol` and `base_url`, or `preset`.

## 4 What takes precedence

- A route has the keys of `[fallback]` and `[stall]`; its own keys replace them for its chain.
- For the limits of one attempt, the model's `stall` takes precedence over the provider's, that over the route's, and
  that over `[stall]`. Each key counts by itself. `"auto"` restores the default in a route; in a provider or a model it
  cannot undo a limit that `[stall]` sets.
- A provider's `retry` replaces keys of `[retry]` for that provider.
- A duration in `stall` is taken as it is written, also where the size of the prompt or the model would allow more.

## 5 Environment variables

- `UNDERSTUDY_STREAM_STALE_TIMEOUT`, else `HERMES_STREAM_STALE_TIMEOUT`: replaces `[stall] stale`. A bare number is
  seconds.
- The variables of the presets in use, and those that `credentials` names.
- `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, also in lower case, where a provider has no `proxy`.

## 6 Keys
)";

}  // namespace

std::string example_file() {
  std::string out =
      comment(
          "Every key of understudy's configuration. `understudy check --config FILE` reports all "
          "that is wrong with a file.") +
      "#\n" +
      comment(
          "A line `#key = value` shows the default, or, where the comment says that there is none, "
          "an "
          "example.\nDurations are strings with a unit: ms, s, m, h. Sizes too: B, KiB, MiB, GiB.\n"
          "Most configurations need only the first two sections, [model] and "
          "[[fallback_providers]].\n"
          "docs/configuration.md says more. Both files are written by `./dev configuration`.");
  const auto all = parts();
  for (const auto& section : schema().sections()) {
    if (section.example_header.empty()) {
      continue;
    }
    const auto part = std::find_if(all.begin(), all.end(),
                                   [&](const Part& p) { return p.section == section.name; });
    if (part != all.end()) {
      out += "\n" + heading(part->title) + (part->text.empty() ? "" : comment(part->text));
    }
    out += "\n" + comment(section.documentation) + std::string(section.example_header) + "\n";
    for (const auto& row : section.keys) {
      if (!has_section(section, row)) {
        out += note(row) + line(row);
      }
    }
  }
  return out;
}

std::string reference_page() {
  std::string out = std::string(introduction) + presets_table() + std::string(inheritance);
  for (const auto& section : schema().sections()) {
    if (section.name.empty()) {
      continue;
    }
    out += "\n### " + code(section.header()) + "\n\n";
    out += wrapped(section.documentation, "", "") + "\n";
    for (const auto& row : section.keys) {
      out += item(row);
    }
  }
  return out;
}

}  // namespace understudy::config
