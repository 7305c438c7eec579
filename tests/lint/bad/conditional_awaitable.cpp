// expect: conditional
#include "../sample.hpp"

namespace samples {

inline awaitable<int> conditional_awaitable(bool first = true) {
  co_return co_await (first ? one() : pass(2));
}

}  // namespace samples
