#include "../sample.hpp"

namespace samples {

inline awaitable<void> braced_argument() {
  Agg value = {big, big};
  co_await take(std::move(value));
}

}  // namespace samples
