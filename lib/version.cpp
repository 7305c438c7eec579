#include <understudy/version.hpp>

namespace understudy {

const char* version() noexcept { return UNDERSTUDY_VERSION; }

}  // namespace understudy
