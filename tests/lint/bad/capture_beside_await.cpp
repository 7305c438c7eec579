// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_beside_await() {
  auto text = shared();
  call_now([text] { return text->size(); }, co_await one());
}

}  // namespace samples
