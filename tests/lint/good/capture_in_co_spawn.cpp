#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_in_co_spawn() {
  auto text = shared();
  auto executor = co_await asio::this_coro::executor;
  auto child = [text]() -> awaitable<void> { co_await call([&] { return text->size(); }); };
  co_await asio::co_spawn(executor, std::move(child), use_awaitable);
}

}  // namespace samples
