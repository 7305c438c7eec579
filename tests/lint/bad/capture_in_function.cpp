// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_in_function() {
  auto text = shared();
  co_await call_function([text] { return text->size(); });
}

}  // namespace samples
