#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_argument(bool known = true) {
  auto text = known ? big : std::string();
  co_return co_await pass(std::move(text));
}

}  // namespace samples
