#include "understudy/llm/tool_table.hpp"

#include <utility>
#include <variant>

#include "text/name_table.hpp"

namespace understudy::llm {

struct ToolTable::Names {
  text::NameTable<std::string> sent{text::KeyedHash()};
  std::vector<ToolName> tools;  // of each
};

ToolTable::ToolTable(Sent tools) {
  std::shared_ptr<Names> names;
  for (auto& [sent, tool] : tools) {
    const bool itself = tool.name == sent && tool.name_space.empty() &&
                        tool.form == ToolForm::function && tool.properties == nullptr;
    if (itself) {
      continue;
    }
    if (!names) {
      names = std::make_shared<Names>();
    }
    if (names->sent.add(sent).second) {
      names->tools.push_back(std::move(tool));
    }
  }
  names_ = std::move(names);
}

std::size_t ToolTable::size() const noexcept { return names_ ? names_->tools.size() : 0; }

const ToolName* ToolTable::find(std::string_view sent) const {
  const auto number = names_ ? names_->sent.find(sent) : text::NameTable<std::string>::none;
  return number == text::NameTable<std::string>::none ? nullptr : &names_->tools[number];
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
