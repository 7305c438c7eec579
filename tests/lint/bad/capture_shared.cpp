// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_shared() {
  auto text = shared();
  co_await call([text] { return text->size(); });
}

}  // namespace samples
