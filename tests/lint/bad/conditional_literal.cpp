// expect: conditional
#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_literal(bool known = true) {
  co_return co_await pass<std::string>(known ? big : "unknown");
}

}  // namespace samples
