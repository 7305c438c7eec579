#include "../sample.hpp"

namespace samples {

inline awaitable<void> array_prvalue() {
  std::array<std::string, 2> values{big, big};
  co_await pass(std::move(values));
}

}  // namespace samples
