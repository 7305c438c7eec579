#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_beside_await() {
  auto text = shared();
  const int more = co_await one();
  call_now([text] { return text->size(); }, more);
}

}  // namespace samples
