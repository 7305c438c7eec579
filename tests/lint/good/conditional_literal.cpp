#include "../sample.hpp"

namespace samples {

inline awaitable<std::string> conditional_literal(bool known = true) {
  const char* const text = known ? big.c_str() : "unknown";
  co_return co_await pass<std::string>(text);
}

}  // namespace samples
