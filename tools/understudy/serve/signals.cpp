#include "signals.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <thread>

#include "../command.hpp"
#include "line_writer.hpp"

namespace understudy::tool {
namespace {

/// How long the second SIGTERM leaves the workers to end by themselves, so that calls in flight are recorded.
constexpr unsigned end_within = 1;  // seconds

}  // namespace

Signals::Signals(Workers& workers) : workers_(workers) {
  std::signal(SIGALRM, [](int) { ::_exit(failed); });
  wait();
}

void Signals::run() {
  std::thread waiter([this] { context_.run(); });
  workers_.join();
  reloading_.join();
  context_.stop();
  waiter.join();
}

void Signals::wait() {
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) {
      return;
    }
    if (signal == SIGHUP) {
      if (!draining_) {
        asio::post(reloading_, [this] { workers_.reload(); });
      }
    } else {
      end();
    }
    wait();
  });
}

void Signals::end() {
  if (draining_) {
    ::alarm(end_within);
    workers_.stop();
  } else {
    workers_.drain();
  }
  LineWriter lines(STDERR_FILENO);
  lines.give_up_after({});
  lines.write(draining_ ? "understudy serve: ending at once\n"
                        : "understudy serve: draining; a second signal ends it at once\n");
  draining_ = true;
}

}  // namespace understudy::tool
