// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_of_await() {
  auto text = shared();
  auto size = [text, more = co_await one()] { return text->size() + more; };
  size();
}

}  // namespace samples
