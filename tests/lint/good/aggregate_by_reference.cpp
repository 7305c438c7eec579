#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_by_reference() {
  const Agg value{big, big};
  co_await take_reference(value);
}

}  // namespace samples
