/// The part of a translation that is about tool calls and their results; see translate.hpp.
#pragma once

#include "translate_parameters.hpp"
#include "understudy/llm/translate.hpp"

namespace understudy::llm::detail {

/// Gives every call an id that the target takes, and its result, in the message after the turn that made
/// it. Messages may be left empty.
void pair_calls(Request& request, Losses& losses, const TranslationTarget& target);

}  // namespace understudy::llm::detail
