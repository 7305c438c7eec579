#include "../sample.hpp"

namespace samples {

inline awaitable<void> initializer_list() {
  const std::vector<std::string> values{big, big};
  co_await pass(values);
}

}  // namespace samples
