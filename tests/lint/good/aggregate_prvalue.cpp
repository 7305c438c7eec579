#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_prvalue() {
  Agg value{big, big};
  co_await take(std::move(value));
}

}  // namespace samples
