// A chunked response's body, from the socket to its consumer, a chunk for each event as providers send
// them: our client, Beast's buffer_body, and the least that anybody could do, a bare loop of reads that
// looks at nothing. What is counted is the time that the consumer's thread works.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../harness.hpp"
#include "many_streams.hpp"
#include "understudy/net/http_client.hpp"

namespace {

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using asio::ip::tcp;
namespace http = boost::beast::http;

const std::string event =
    "data: " + std::string(255, 'x') + "\n\n";  // an OpenAI delta has 263 bytes
const std::string chunk = "107\r\n" + event + "\r\n";
const std::string head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const std::string end = "0\r\n\r\n";

void must(bool fine) {
  if (!fine) {
    std::perror("bench_net");
    std::exit(1);
  }
}

void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    must(sent > 0);
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// A provider on a thread of its own, which answers one request with `events` events, at full speed or
/// each by itself.
class Provider {
 public:
  Provider(std::uint64_t events, bool alone) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    must(::bind(listener_, generic, size) == 0 && ::listen(listener_, 1) == 0);
    must(::getsockname(listener_, generic, &size) == 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, events, alone] { answer(events, alone); });
  }
  ~Provider() {
    thread_.join();
    ::close(listener_);
  }
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  std::uint16_t port = 0;

 private:
  void answer(std::uint64_t events, bool alone) const {
    const int socket = ::accept(listener_, nullptr, nullptr);
    const int no_delay = 1;
    must(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay) == 0);
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n")) {
      must(::recv(socket, &byte, 1, 0) == 1);
      request += byte;
    }
    send_all(socket, head);
    const std::uint64_t together = alone ? 1 : 250;
    std::string text;
    for (std::uint64_t i = 0; i < together; ++i) {
      text += chunk;
    }
    for (std::uint64_t sent = 0; sent < events; sent += together) {
      send_all(socket, text);
      if (alone) {
        std::this_thread::sleep_for(20us);
      }
    }
    send_all(socket, end);
    must(::recv(socket, &byte, 1, 0) >= 0);  // until the other end is closed
    ::close(socket);
  }

  int listener_;
  std::thread thread_;
};

void drive(awaitable<void> coroutine) {
  asio::io_context context(1);
  asio::co_spawn(context, std::move(coroutine), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
}

void must_be(std::uint64_t bytes, std::uint64_t expected) {
  if (bytes != expected) {
    std::fprintf(stderr, "bench_net: %llu bytes, not %llu\n",
                 static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(expected));
    std::exit(1);
  }
}

awaitable<tcp::socket> connect(std::uint16_t port) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(there, asio::deferred);
  co_await asio::async_write(socket, asio::buffer("GET / HTTP/1.1\r\nhost: x\r\n\r\n", 27),
                             asio::deferred);
  co_return socket;
}

awaitable<void> bare(std::uint16_t port, std::uint64_t events) {
  auto socket = co_await connect(port);
  std::vector<char> buffer(16 * 1024);
  const auto expected = head.size() + events * chunk.size() + end.size();
  std::uint64_t bytes = 0;
  while (bytes < expected) {
    bytes += co_await socket.async_read_some(asio::buffer(buffer), asio::deferred);
  }
  must_be(bytes, expected);
}

awaitable<void> beast(std::uint16_t port, std::uint64_t events) {
  auto socket = co_await connect(port);
  boost::beast::flat_buffer buffer(16 * 1024);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read_header(socket, buffer, parser, asio::deferred);
  std::vector<char> part(16 * 1024);
  std::uint64_t bytes = 0;
  while (!parser.is_done()) {
    parser.get().body().data = part.data();
    parser.get().body().size = part.size();
    const auto [code, read] =
        co_await http::async_read_some(socket, buffer, parser, asio::as_tuple(asio::deferred));
    if (code && code != http::error::need_buffer) {
      throw boost::system::system_error(code);
    }
    bytes += part.size() - parser.get().body().size;
  }
  must_be(bytes, events * event.size());
}

awaitable<void> ours(std::uint16_t port, std::uint64_t events) {
  const auto executor = co_await asio::this_coro::executor;
  HttpClient client(executor, HttpClientOptions());
  const auto limits =
      stall_limits(StallSettings(), StallFacts(),
                   StallCodes(asio::error::connection_reset, asio::error::timed_out));
  StallTimer timer(executor, limits, StallHooks());
  StallObserver observer(timer);
  HttpRequest request("GET", "/");
  const Endpoint endpoint(Scheme::http, "127.0.0.1", port);
  auto response = co_await client.send(endpoint, request, observer);
  std::uint64_t bytes = 0;
  while (true) {
    const auto part = co_await response->read();
    if (part.value().empty()) {
      break;
    }
    bytes += part->size();
    timer.progressed();
  }
  must_be(bytes, events * event.size());
}

using Consumer = awaitable<void> (*)(std::uint16_t port, std::uint64_t events);

bench::Way way(std::string name, Consumer consume, bool alone) {
  const auto run = [consume, alone](std::uint64_t events) {
    Provider provider(events, alone);
    drive(consume(provider.port, events));
  };
  return {std::move(name), run, alone ? 2'000U : 100'000U, {}};
}

bool body_to_consumer(const char* title, bool alone, double at_most_beast, double at_most_bare) {
  const std::string by_bare = "bare async_read_some loop, bytes not looked at";
  const std::string by_beast = "Beast http::async_read_some, buffer_body";
  const std::string by_us = "HttpResponse::read, under a StallTimer";
  std::vector<bench::Way> ways{way(by_bare, bare, alone), way(by_beast, beast, alone),
                               way(by_us, ours, alone)};
  bench::measure(ways, 9, bench::thread_clock);
  bench::print(title, ways);
  const auto ns = [&](const std::string& name) { return bench::figures(ways, name).nanoseconds; };
  const auto& figures = bench::figures(ways, by_us);
  bool all = true;
  if (at_most_beast > 0) {
    all &= bench::reach("an event in bulk", figures.nanoseconds, 150, "ns");
    all &= bench::reach("of Beast's buffer_body", ns(by_us) / ns(by_beast), at_most_beast, "x");
  }
  if (at_most_bare > 0) {
    all &= bench::reach("of the bare loop", ns(by_us) / ns(by_bare), at_most_bare, "x");
  }
  // Of the connection and the head there are some; spread over the events they vanish.
  all &= bench::reach("allocations an event", figures.allocations, alone ? 0.1 : 0.01, "");
  return all;
}

}  // namespace

/// `bench_net [incident|takeover|idle|body]`: one part, or all. Exit status 1: the founding incident took too
/// long, which is a promise, not a goal.
int main(int argc, char** argv) {
  const std::string_view only = argc > 1 ? argv[1] : "";
  const auto wanted = [&](std::string_view part) { return only.empty() || only == part; };
  const bool promised = !wanted("incident") || bench::founding_incident();
  bool all = promised;
  if (wanted("takeover")) {  // forks, so before there are threads
    all &= bench::takeover();
  }
  if (wanted("idle")) {
    all &= bench::idle_streams();
  }
  if (wanted("body")) {
    // 150 ns for an event of 925 by buffer_body, and 1.3x the bare loop: architecture.md 7.
    all &= body_to_consumer("in bulk, an event of 263 bytes a chunk (thread CPU, ns an event)",
                            false, 150.0 / 925, 0);
    all &= body_to_consumer("every event comes alone (thread CPU, ns an event)", true, 0, 1.3);
  }
  std::printf("\n%s\n", all ? "every number was reached" : "some numbers were missed, see above");
  return promised ? 0 : 1;
}
