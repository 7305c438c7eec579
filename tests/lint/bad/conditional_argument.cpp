// expect: conditional
#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_argument(bool known = true) {
  co_return co_await pass(known ? big : std::string());
}

}  // namespace samples
