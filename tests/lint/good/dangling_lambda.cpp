#include "../sample.hpp"

namespace samples {

inline awaitable<void> dangling_lambda() {
  auto text = shared();
  auto body = [text]() -> awaitable<void> { co_await call([&] { return text->size(); }); };
  co_await body();
}

}  // namespace samples
