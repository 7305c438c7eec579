#include "../sample.hpp"

namespace samples {

inline awaitable<void> optional_of_aggregate() {
  std::optional<Agg> value = Agg{big, big};
  co_await take_optional(std::move(value));
}

}  // namespace samples
