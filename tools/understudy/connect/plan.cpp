#include "plan.hpp"

#include <algorithm>

namespace understudy::tool {

SourceResult<std::string> Plan::edited(const std::string& file, std::string_view text) const {
  if (const auto* const settings = std::get_if<std::vector<Setting>>(&edits)) {
    return with_settings(file, text, *settings);
  }
  if (const auto* const provider = std::get_if<CodexProvider>(&edits)) {
    return with_codex_provider(file, text, *provider);
  }
  return source_text(std::string(text));
}

std::string Plan::printable() const {
  if (const auto* const settings = std::get_if<std::vector<Setting>>(&edits)) {
    return tool::printable(*settings);
  }
  const auto* const hand = std::get_if<ByHand>(&edits);
  return hand != nullptr ? hand->text : edited("", "").value();
}

bool Plan::has_secret() const {
  const auto* const settings = std::get_if<std::vector<Setting>>(&edits);
  return settings != nullptr && std::any_of(settings->begin(), settings->end(),
                                            [](const auto& s) { return !s.shown.empty(); });
}

}  // namespace understudy::tool
