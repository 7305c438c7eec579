#include "../sample.hpp"

namespace samples {

inline awaitable<void> await_in_braces() {
  const int number = co_await one();
  Agg value = {big, std::to_string(number)};
  co_await take(std::move(value));
}

}  // namespace samples
