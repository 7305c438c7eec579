// expect: conditional
#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_of_awaits(bool known = true) {
  auto text = known ? co_await pass(big) : std::string("unknown");
  co_return text;
}

}  // namespace samples
