#include "../sample.hpp"

// Looks like the patterns and is none of them: run under ASAN, it says so.
namespace samples {

inline awaitable<bool> is_long(std::string text) {
  co_await one();
  co_return text.size() > 20;
}

inline awaitable<bool> both(bool more) {
  co_return more&& co_await is_long("another literal, as long");
}
inline awaitable<bool> either(bool done) {
  co_return done || co_await is_long(big) || co_await is_long("x");
}

inline awaitable<void> no_harm_in_conditions(bool yes = true, bool no = false) {
  const std::string other = "other, also long enough to live on the heap";
  co_await pass<std::string>(yes ? "one literal that is long enough for the heap" : "");
  co_await pass<std::string>(yes ? (no ? "a" : "b") : no ? "c" : "d");
  co_await pass(yes ? big : other);
  co_await pass(no ? 300 : 1);
  for (const bool first : {yes, no}) {
    const bool right = co_await both(first) == first && co_await either(first);
    if (!right && co_await is_long(big)) {
      throw std::logic_error("miscompiled");
    }
  }
}

}  // namespace samples
