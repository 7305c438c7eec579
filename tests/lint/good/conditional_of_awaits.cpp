#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_of_awaits(bool known = true) {
  std::string text = "unknown";
  if (known) {
    text = co_await pass(big);
  }
  co_return text;
}

}  // namespace samples
