/// How a request's tools are called on their way to a provider, and what they are called by the client.
///
/// Invariants
/// 1. Each sent name stands for one tool of the client, and each tool has one sent name.
/// 2. The table holds only tools of which something differs: name, namespace or form. Any other name stands for itself,
///    also one that the model made up.
/// 3. A name is never taken apart: what it stands for is known from the request alone.
///
///     const auto sent = translate(request, TranslationTarget(Protocol::openai_chat, "openai", "gpt-5.4"));
///     Event named = event;  // of the answer
///     sent.tools.restore(named);  // a ToolStart names the client's tool again
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/tool_form.hpp"

namespace understudy::llm {

/// What a client calls a tool.
class ToolName {
 public:
  ToolName(std::string n, std::string s = {}, ToolForm f = ToolForm::function)
      : name(std::move(n)), name_space(std::move(s)), form(f) {}

  std::string name;
  std::string name_space;  ///< empty: none
  ToolForm form;

  bool operator==(const ToolName&) const = default;
};

/// See the top of the file. A value. Threads: any number may read one table.
class UNDERSTUDY_API ToolTable {
 public:
  ToolTable() {}

  /// Adds a tool by the name that it is sent with, unless that name stands for itself. A sent name that is in the table
  /// keeps its tool.
  void add(std::string_view sent, const ToolName& tool);

  /// Returns what the name stands for, or nullptr if it stands for itself. The pointer is valid while the table is not
  /// changed.
  const ToolName* find(std::string_view sent) const;

  /// Changes the beginning of a call of such a tool to the client's name, namespace and form. Returns whether it did. The
  /// views of the event then refer to the table, which must not be changed as long as they are used.
  bool restore(Event& event) const;

  bool empty() const noexcept { return tools_.empty(); }
  std::size_t size() const noexcept { return tools_.size(); }

 private:
  std::map<std::string, ToolName, std::less<>> tools_;
};

}  // namespace understudy::llm
