/// How a request's tools are called on their way to a provider, and what they are called by the client.
///
/// Invariants
/// 1. Each sent name stands for one tool of the client, and each tool has one sent name.
/// 2. The table holds only tools of which something differs: name, namespace or form. Any other name stands for itself,
///    also one that the model made up.
/// 3. Properties of the arguments may have other names too (Anthropic accepts few characters): `properties` of a tool.
/// 4. A name is never taken apart: what it stands for is known from the request alone.
///
///     const auto sent = translate(request, TranslationTarget(Protocol::openai_chat, "openai", "gpt-5.4"));
///     Event named = event;  // of the answer
///     sent.tools.restore(named);  // a ToolStart names the client's tool again
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/tool_form.hpp"

namespace understudy::llm {

namespace detail {
class PropertyNames;
}

/// What a client calls a tool.
class ToolName {
 public:
  ToolName(std::string n, std::string s = {}, ToolForm f = ToolForm::function)
      : name(std::move(n)), name_space(std::move(s)), form(f) {}

  std::string name;
  std::string name_space;  ///< empty: none
  ToolForm form;
  std::shared_ptr<const detail::PropertyNames> properties;  ///< null: their names are the client's

  bool operator==(const ToolName&) const = default;
};

/// See the top of the file. A value; copies share what they hold. Threads: any.
class UNDERSTUDY_API ToolTable {
 public:
  /// The tools by the names that they are sent with. A name that stands for itself is left out; of two tools with one
  /// name, the first counts.
  using Sent = std::vector<std::pair<std::string, ToolName>>;

  ToolTable() {}
  explicit ToolTable(Sent tools);

  /// Returns what the name stands for, or nullptr if it stands for itself. The pointer is valid as long as the table or a
  /// copy of it.
  const ToolName* find(std::string_view sent) const;

  /// Changes the beginning of a call of such a tool to the client's name, namespace and form. Returns whether it did. The
  /// views of the event then refer to the table, which must live as long as they are used.
  bool restore(Event& event) const;

  /// Whether each name stands for itself.
  bool empty() const noexcept { return names_ == nullptr; }
  /// The number of names that stand for another.
  std::size_t size() const noexcept;

 private:
  struct Names;

  std::shared_ptr<const Names> names_;  // null: none
};

}  // namespace understudy::llm
