#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_in_function() {
  auto text = shared();
  auto size = [text] { return text->size(); };
  co_await call_function(std::move(size));
}

}  // namespace samples
