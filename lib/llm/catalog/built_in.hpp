/// The files of the catalog that are compiled in.
#pragma once

#include <string_view>

namespace understudy::llm::detail {

std::string_view built_in_families();   // families.toml
std::string_view built_in_back_ends();  // backends.toml

}  // namespace understudy::llm::detail
