// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_over_lines() {
  auto text = shared();
  std::size_t total = 0;
  total += co_await call(
      // [&] is harmless, what follows is not
      [&total, text] {
        total += text->size();
        return total;
      });
}

}  // namespace samples
