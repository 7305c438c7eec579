/// What must be changed in an agent's settings, and how it is carried out or printed.
///
/// Invariants
/// 1. What is printed contains no secret.
/// 2. Pure: text in, text out.
///
///     plan.edited("settings.json", text).value();  // the text with the settings
///     plan.printable();                            // for the user to do it
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codex_config.hpp"
#include "json_settings.hpp"

namespace understudy::tool {

/// Text for an agent whose file is not edited: commands, or answers to its questions.
class ByHand {
 public:
  std::string text;
};

class Plan {
 public:
  /// The text of the file with the plan carried out. `file` is for errors.
  SourceResult<std::string> edited(const std::string& file, std::string_view text) const;
  /// What the user would write, without secrets.
  std::string printable() const;
  bool has_secret() const;

  std::variant<ByHand, std::vector<Setting>, CodexProvider> edits;
  std::vector<std::string> notes;  ///< sentences: what is left to the user, and what is left away
};

}  // namespace understudy::tool
