#include "../sample.hpp"

namespace samples {

inline awaitable<void> designated_argument() {
  Agg value = {.a = big, .b = big};
  co_await take(std::move(value));
}

}  // namespace samples
