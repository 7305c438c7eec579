#include "understudy/llm/tool_table.hpp"

#include <variant>

namespace understudy::llm {

void ToolTable::add(std::string_view sent, const ToolName& tool) {
  if (tool != ToolName(std::string(sent))) {
    tools_.try_emplace(std::string(sent), tool);
  }
}

const ToolName* ToolTable::find(std::string_view sent) const {
  const auto found = tools_.find(sent);
  return found == tools_.end() ? nullptr : &found->second;
}

bool ToolTable::restore(Event& event) const {
  auto* const start = std::get_if<ToolStart>(&event.body);
  const auto* const tool = start == nullptr ? nullptr : find(start->name);
  if (tool == nullptr) {
    return false;
  }
  start->name = tool->name;
  start->name_space = tool->name_space;
  start->form = tool->form;
  return true;
}

}  // namespace understudy::llm
