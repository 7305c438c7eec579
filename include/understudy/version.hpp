#pragma once

#include <understudy/export.hpp>

namespace understudy {

/// The version of the library that the program is linked with, such as "0.1.0".
UNDERSTUDY_API const char* version() noexcept;

}  // namespace understudy
