#include "../sample.hpp"

namespace samples {

inline awaitable<int> conditional_awaitable(bool first = true) {
  auto chosen = first ? one() : pass(2);
  co_return co_await std::move(chosen);
}

}  // namespace samples
