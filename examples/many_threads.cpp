// One client for a service with many threads: 200 jobs on eight of them, of which at most 20 ask at the same time, and a
// future for a thread without any coroutine. The provider is a simulated one, so that it runs anywhere.
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <iostream>
#include <thread>
#include <vector>

#include "understudy/client/shared_client.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;

llm::Request question(const std::string& text) {
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, text);
  return request;
}

/// The executor on which a SharedClient lives: an io_context with one thread.
class Home {
 public:
  ~Home() {
    work_.reset();
    thread_.join();
  }
  asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

/// Takes jobs until none is left. As many of these run as may ask at the same time.
asio::awaitable<void> work(SharedClient& client, std::atomic<int>& next,
                           std::atomic<int>& answered) {
  while (true) {
    const int job = next++;
    if (job >= 200) {
      co_return;
    }
    const auto outcome = co_await client.complete(question("Job " + std::to_string(job)));
    answered += outcome.result.has_value() ? 1 : 0;
  }
}

int main() {
  Home home;
  testing::FaultServer provider;
  TcpAcceptor port(home.executor(), asio::ip::address_v4::loopback(), 0);
  asio::cancellation_signal stop;
  std::promise<void> served;
  auto serve = [&] { return provider.serve(port); };
  asio::co_spawn(home.executor(), std::move(serve),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](const std::exception_ptr&) { served.set_value(); }));

  const auto config = parse_config(
                          "[model]\nprovider = \"local\"\ndefault = \"qwen3\"\n"
                          "[providers.local]\npreset = \"ollama\"\nbase_url = \"http://127.0.0.1:" +
                              std::to_string(port.port()) + "/v1\"\n",
                          "many_threads.cpp")
                          .value();
  SharedClient client(home.executor(), config, ClientState::make(config).value());

  std::atomic<int> next = 0;
  std::atomic<int> answered = 0;
  asio::thread_pool threads(8);
  std::vector<std::future<void>> workers;
  for (int i = 0; i < 20; ++i) {
    workers.push_back(asio::co_spawn(threads, work(client, next, answered), asio::use_future));
  }
  for (auto& worker : workers) {
    worker.get();
  }
  std::cout << answered << " of 200 jobs answered\n";

  auto one_more =
      client.async_complete(question("And you?"), RequestOptions(), asio::use_future).get();
  std::cout << one_more.result.value().text() << "\n" << one_more.report.why() << "\n";
  client.async_close(asio::use_future).get();
  asio::post(home.executor(), [&] { stop.emit(asio::cancellation_type::terminal); });
  served.get_future().wait();
  return answered == 200 ? 0 : 1;
}
