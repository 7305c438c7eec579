#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_of_await() {
  auto text = shared();
  const std::size_t more = co_await pass<std::size_t>(1);
  auto size = [text, more] { return text->size() + more; };
  size();
}

}  // namespace samples
