/// The provider behind the proxies: OpenAI's Chat Completions, as cheap as it can be.
#pragma once

#include <cstdint>

#include "process.hpp"

namespace bench {

/// Answers on `port` what message.hpp says, for ever.
[[noreturn]] void serve_upstream(std::uint16_t port);

}  // namespace bench
