#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_after_await() {
  Agg value;
  if (co_await one()) value = Agg{big, big};
}

}  // namespace samples
