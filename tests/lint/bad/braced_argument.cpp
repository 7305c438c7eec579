// expect: braced_argument
#include "../sample.hpp"

namespace samples {

inline awaitable<void> braced_argument() { co_await take({big, big}); }

}  // namespace samples
