/// Runs a coroutine to its end, or until Ctrl-C or SIGTERM cancels it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

namespace understudy::tool {

/// False: it was stopped by a signal, and has ended cleanly. What it throws is rethrown. A second signal ends
/// the process at once.
bool run_until_stopped(std::function<boost::asio::awaitable<void>()> work);

}  // namespace understudy::tool
