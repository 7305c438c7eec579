#include "json_settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "json_fault.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "text/suggestions.hpp"

namespace understudy::tool {
namespace {

using text::JsonEdit;
using text::JsonPath;

constexpr std::string_view blanks = " \t\r\n";

JsonPath path_of(const std::vector<std::string>& names, std::size_t count) {
  return {names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::string dotted(const std::vector<std::string>& names, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += (i == 0 ? "" : ".") + names[i];
  }
  return all;
}

/// With white space and the spelling of escapes aside.
bool same(std::string_view a, std::string_view b) {
  const auto compact = [](std::string_view json) {
    return json::compact_object("{\"_\":" + std::string(json) + "}");
  };
  return a == b || compact(a) == compact(b);
}

/// A whole number, in quotes or not.
std::optional<std::uint64_t> number_in(std::string_view json) {
  if (json.size() > 1 && json.front() == '"') {
    json = json.substr(1, json.size() - 2);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  const bool whole = error == std::errc() && end == json.data() + json.size();
  return whole ? std::optional(number) : std::nullopt;
}

bool stays(std::string_view there, const Setting& setting) {
  switch (setting.keep) {
    case Setting::Keep::if_there: return true;
    case Setting::Keep::if_smaller: {
      const auto theirs = number_in(there);
      return theirs && *theirs <= number_in(setting.json).value_or(0);
    }
    case Setting::Keep::never: break;
  }
  return same(there, setting.json);
}

/// The white space at the beginning of the line of an offset.
std::string_view indentation_at(std::string_view text, std::size_t offset) {
  const auto line = text.substr(text.substr(0, offset).rfind('\n') + 1);
  return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

/// One level of the file's indentation.
std::string step_of(std::string_view text) {
  const auto first = text.find_first_not_of(blanks, std::min(text.find('{'), text.size() - 1) + 1);
  const auto step = first < text.size() ? indentation_at(text, first) : std::string_view();
  return step.empty() ? "  " : std::string(step);
}

/// `object`: a part of `text`.
std::string with_member(std::string_view text, std::string_view object, const std::string& name,
                        std::string_view json) {
  const auto open = static_cast<std::size_t>(object.data() - text.data());
  const auto close = open + object.size() - 1;
  const auto last = text.find_last_not_of(blanks, close - 1);
  const auto member = json::quoted(name) + ": " + std::string(json);
  const std::string line_end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  std::string out(text.substr(0, last + 1));
  if (last == open) {
    const std::string base(indentation_at(text, open));
    return out.append(line_end + base + step_of(text) + member + line_end + base)
        .append(text.substr(close));
  }
  const auto first = text.find_first_not_of(blanks, open + 1);
  const bool lines = text.substr(open, first - open).find('\n') != std::string_view::npos;
  const auto gap = lines ? line_end + std::string(indentation_at(text, first)) : " ";
  return out.append("," + gap + member).append(text.substr(last + 1));
}

/// Errors: what is in the way of the setting.
SourceResult<std::string> with_setting(const std::string& file, std::string text,
                                       const Setting& setting) {
  const auto& names = setting.path;
  for (std::size_t depth = 1; depth <= names.size(); ++depth) {
    const bool leaf = depth == names.size();
    const auto parent = text::json_at(text, path_of(names, depth - 1));
    const auto there = text::json_at(text, path_of(names, depth));
    if (there.empty()) {
      text = with_member(text, parent, names[depth - 1], leaf ? setting.json : "{}");
    } else if (leaf) {
      return source_text(
          stays(there, setting)
              ? text
              : text::edit_json(text, {JsonEdit::set(path_of(names, depth), setting.json)})
                    .value_or(text));
    } else if (!json::is_object(there)) {
      const auto place = place_in(text, static_cast<std::size_t>(there.data() - text.data()));
      return source_error(file, place, text::ticked(dotted(names, depth)) + " is not an object",
                          "write {} in its place");
    }
  }
  return source_text(std::move(text));
}

}  // namespace

SourceResult<std::string> with_settings(const std::string& file, std::string_view text,
                                        const std::vector<Setting>& settings) {
  const bool empty = text.find_first_not_of(blanks) == std::string_view::npos;
  std::string edited(empty ? "{}\n" : text);
  if (const auto fault = json_fault(edited)) {
    return source_error(file, fault->place, fault->what, fault->suggestion);
  }
  const auto begin = edited.find_first_not_of(blanks);
  if (edited[begin] != '{') {
    return source_error(file, place_in(edited, begin), "is not a JSON object",
                        "write {} in its place");
  }
  for (const auto& setting : settings) {
    auto next = with_setting(file, std::move(edited), setting);
    if (next.has_error()) {
      return next.error();
    }
    edited = std::move(*next);
  }
  return source_text(std::move(edited));
}

std::string printable(const std::vector<Setting>& settings) {
  auto shown = settings;
  for (auto& setting : shown) {
    setting.json = setting.shown.empty() ? setting.json : setting.shown;
  }
  return with_settings("", "", shown).value();
}

}  // namespace understudy::tool
