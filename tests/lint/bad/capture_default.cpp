// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_default() {
  auto text = shared();
  co_await call([=] { return text->size(); });
}

}  // namespace samples
