// expect: braced_argument
#include "../sample.hpp"

namespace samples {

inline awaitable<void> initializer_list() { co_await take_list({big, big}); }

}  // namespace samples
