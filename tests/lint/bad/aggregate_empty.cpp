// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_empty() { co_await take(Agg{}); }

}  // namespace samples
