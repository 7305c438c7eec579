#include "../sample.hpp"

namespace samples {

inline awaitable<void> capture_shared() {
  auto text = shared();
  auto awaited = call([text] { return text->size(); });
  co_await std::move(awaited);
}

}  // namespace samples
