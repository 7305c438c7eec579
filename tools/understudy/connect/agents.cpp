#include "agents.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "text/suggestions.hpp"

namespace understudy::tool {
namespace {

constexpr std::array table{
    Agent{"claude", "Claude Code", "CLAUDE_CONFIG_DIR", ".claude", "settings.json", "",
          &claude_plan},
    Agent{"codex", "Codex", "CODEX_HOME", ".codex", "config.toml", "", &codex_plan},
    Agent{"opencode", "opencode", "XDG_CONFIG_HOME", ".config", "opencode/opencode.json",
          "opencode/opencode.jsonc", &opencode_plan},
    Agent{"qwen", "Qwen Code", "QWEN_HOME", ".qwen", "settings.json", "", &qwen_plan},
    Agent{"pi", "pi", "PI_CODING_AGENT_DIR", ".pi/agent", "models.json", "", &pi_plan},
    Agent{"cline", "Cline", "", "", "", "", &cline_plan},
    Agent{"hermes", "Hermes Agent", "", "", "", "", &hermes_plan},
};

}  // namespace

std::span<const Agent> agents() { return table; }

const Agent* find_agent(std::string_view name) {
  const auto* const found =
      std::find_if(table.begin(), table.end(), [&](const Agent& a) { return a.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string agent_suggestion(std::string_view written) {
  std::vector<std::string_view> names;
  std::transform(table.begin(), table.end(), std::back_inserter(names),
                 [](const Agent& a) { return a.name; });
  const auto near = text::nearest(written, names);
  return near.empty() ? "write " + text::list_of(names)
                      : "did you mean " + text::ticked(near) + "?";
}

}  // namespace understudy::tool
