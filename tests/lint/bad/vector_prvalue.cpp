// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> vector_prvalue() { co_await pass(std::vector<std::string>{big, big}); }

}  // namespace samples
