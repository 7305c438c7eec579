// expect: dangling_lambda
#include "../sample.hpp"

namespace samples {

inline awaitable<void> dangling_lambda() {
  auto text = shared();
  auto awaited = [text]() -> awaitable<void> { co_await call([&] { return text->size(); }); }();
  co_await std::move(awaited);
}

}  // namespace samples
