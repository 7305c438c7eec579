#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_forwarded() {
  auto text = shared();
  auto size = [text] { return text->size(); };
  co_await call_forwarded(std::move(size));
}

}  // namespace samples
