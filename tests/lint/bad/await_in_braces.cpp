// expect: await_in_braces
#include "../sample.hpp"

namespace samples {

inline awaitable<void> await_in_braces() {
  Agg value = {big, std::to_string(co_await one())};
  co_await take(std::move(value));
}

}  // namespace samples
