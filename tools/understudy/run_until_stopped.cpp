#include "run_until_stopped.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>

namespace understudy::tool {

namespace asio = boost::asio;

bool run_until_stopped(std::function<asio::awaitable<void>()> work) {
  asio::io_context context(1);
  asio::cancellation_signal cancel;
  bool stopped = false;
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) {
      stopped = true;
      signals.clear();  // the next one has its usual effect
      cancel.emit(asio::cancellation_type::all);
    }
  });
  std::exception_ptr thrown;
  auto ended = [&](const std::exception_ptr& error) {
    thrown = error;
    signals.cancel();
  };
  asio::co_spawn(context, std::move(work), asio::bind_cancellation_slot(cancel.slot(), ended));
  context.run();
  if (thrown && !stopped) {
    std::rethrow_exception(thrown);
  }
  return !stopped;
}

}  // namespace understudy::tool
