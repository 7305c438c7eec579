/// The forms of tools, and of the calls of them.
///
/// Invariants
/// 1. Every protocol has functions. The other forms exist in some protocols; translate.hpp offers such a tool to the
///    others as a function, and a ToolTable (tool_table.hpp) gives the calls their form back.
/// 2. The arguments of a call are JSON text whatever its form is. Those of a custom call are an object with one member,
///    `{"input": TEXT}`; encoders write the text as the protocol has it.
///
///     const auto arguments = custom_arguments("*** Begin Patch");  // {"input":"*** Begin Patch"}
///     assert(custom_input(arguments) == "*** Begin Patch");
#pragma once

#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

/// See the top of the file.
enum class ToolForm : unsigned char {
  function,  ///< the arguments are a JSON object
  custom,    ///< the input is text (OpenAI's custom tools, such as Codex's `apply_patch`)
  search,  ///< the client's search for its tools (Responses' `tool_search`); its result is a list of tools
};

/// Returns the arguments of a custom call with that input, as JSON text.
UNDERSTUDY_API std::string custom_arguments(std::string_view input);

/// Returns the input of a custom call with those arguments. If they are not `{"input": TEXT}`, nothing of them is lost:
/// the input is the arguments as they are, and what follows the text in the object follows it in the input.
UNDERSTUDY_API std::string custom_input(std::string_view arguments);

}  // namespace understudy::llm
