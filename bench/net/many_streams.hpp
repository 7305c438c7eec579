/// What the benchmarks of calls over sockets have in common.
#pragma once

#include <chrono>
#include <cstdint>

#include "understudy/llm/request.hpp"
#include "understudy/net/url.hpp"

namespace bench {

using Milliseconds = std::chrono::duration<double, std::milli>;

understudy::Url loopback(std::uint16_t port, bool secure = false);
understudy::llm::Request question();

/// Each prints its figures and says whether all were reached.
bool founding_incident();
bool takeover();
bool idle_streams();

}  // namespace bench
