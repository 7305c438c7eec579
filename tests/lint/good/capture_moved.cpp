#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_moved() {
  auto text = std::make_unique<std::string>(big);
  auto size = [text = std::move(text)] { return text->size(); };
  co_await call(std::move(size));
}

}  // namespace samples
