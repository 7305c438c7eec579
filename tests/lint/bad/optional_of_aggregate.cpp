// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> optional_of_aggregate() { co_await take_optional(Agg{big, big}); }

}  // namespace samples
