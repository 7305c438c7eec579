// expect: braced_prvalue
#include "../sample.hpp"

namespace samples {

inline awaitable<void> aggregate_by_reference() { co_await take_reference(Agg{big, big}); }

}  // namespace samples
