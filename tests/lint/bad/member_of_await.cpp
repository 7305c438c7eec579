// expect: member_of_await
#include "../sample.hpp"

namespace samples {

template <class T>
awaitable<int> member_of_await_in(T value) {
  co_return (co_await pass(value)).value();
}

inline awaitable<void> member_of_await() { co_await member_of_await_in(std::optional<int>(1)); }

}  // namespace samples
