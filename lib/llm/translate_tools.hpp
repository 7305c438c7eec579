/// The part of a translation that is about tools, for a target of another protocol; see translate.hpp.
///
/// Invariants
/// 1. Afterwards every tool, call, result and tool choice has the form of a function and a name that the target takes, but
///    for the provider's own tools, which translate_parameters drops.
/// 2. Tools get their names in the order in which they are offered, so the names of a conversation stay the same as it
///    grows.
#pragma once

#include "translate_parameters.hpp"
#include "understudy/llm/translate.hpp"

namespace understudy::llm::detail {

/// Changes the request of `out`, and sets its `tools` and `unsupported`.
void translate_tools(Translation& out, Losses& losses, const TranslationTarget& target);

}  // namespace understudy::llm::detail
