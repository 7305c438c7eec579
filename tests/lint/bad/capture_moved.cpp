// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_moved() {
  auto text = std::make_unique<std::string>(big);
  co_await call([text = std::move(text)] { return text->size(); });
}

}  // namespace samples
