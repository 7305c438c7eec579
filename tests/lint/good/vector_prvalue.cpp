#include "../sample.hpp"

namespace samples {

inline awaitable<void> vector_prvalue() {
  std::vector<std::string> values{big, big};
  co_await pass(std::move(values));
}

}  // namespace samples
