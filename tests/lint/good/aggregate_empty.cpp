#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_empty() {
  Agg value{};
  co_await take(std::move(value));
}

}  // namespace samples
