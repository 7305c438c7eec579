#include "../sample.hpp"

namespace samples {

template <class T>
awaitable<int> member_of_await_in(T value) {
  auto result = co_await pass(value);
  co_return result.value();
}

inline awaitable<void> member_of_await() { co_await member_of_await_in(std::optional<int>(1)); }

}  // namespace samples
