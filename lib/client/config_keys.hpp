/// The table of keys as the parser asks it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "understudy/client/config.hpp"

namespace understudy::detail {

/// The keys that a section may have; those of `[fallback]` may stand in a route too.
std::vector<std::string_view> keys_in(std::string_view section);

/// The row of that key. Throws std::logic_error if there is none: the parser asks for what nobody documents.
const ConfigKey& key_in(std::string_view section, std::string_view key);

/// "[stall]", "[[routes]]".
std::string head_of(std::string_view section);

/// The key that was probably meant by one that `section` does not have, or nothing.
std::string_view meant_by(std::string_view section, std::string_view written);

/// What to write instead of it.
std::string suggest_key(std::string_view section, std::string_view written);

}  // namespace understudy::detail
