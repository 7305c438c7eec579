/// The part of a translation that is about parameters and tools; see translate.hpp.
#pragma once

#include "understudy/llm/translate.hpp"

namespace understudy::detail {

/// Names a loss, if it is not named yet.
void lose(Translation& translation, Loss::Kind kind, std::string what);

/// `foreign`: the request came in another protocol than the target's, or in none.
void translate_parameters(Translation& translation, const TranslationTarget& target, bool foreign);

}  // namespace understudy::detail
