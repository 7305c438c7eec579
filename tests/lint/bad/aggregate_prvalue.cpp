// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_prvalue() { co_await take(Agg{big, big}); }

}  // namespace samples
