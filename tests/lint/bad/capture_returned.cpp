// expect: capture
#include "../sample.hpp"

namespace samples {

inline awaitable<std::size_t> capture_returned() {
  auto text = shared();
  co_return co_await call([text] { return text->size(); });
}

}  // namespace samples
