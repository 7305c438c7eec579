// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_forwarded() {
  auto text = shared();
  co_await call_forwarded([text] { return text->size(); });
}

}  // namespace samples
