// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_after_await() {
  const Agg value = co_await one() ? Agg{big, big} : Agg();
}

}  // namespace samples
