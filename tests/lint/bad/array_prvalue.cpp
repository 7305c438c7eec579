// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> array_prvalue() { co_await pass(std::array<std::string, 2>{big, big}); }

}  // namespace samples
