// expect: braced_argument
#include "../sample.hpp"

namespace samples {

inline awaitable<void> designated_argument() { co_await take({.a = big, .b = big}); }

}  // namespace samples
