// A name server that never answers and a listener whose queue is full: neither keeps the next attempt
// waiting, nor the process from ending. getaddrinfo is ours here, so this is a program of its own; that it
// ends at all, while a lookup hangs, is half of the test.
#include <dlfcn.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {
std::atomic<int> hung{0};
}

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  if (node != nullptr && std::strcmp(node, "hung.test") == 0) {
    ++hung;
    while (true) {
      ::pause();
    }
  }
  static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(
      reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_NEXT, "getaddrinfo")));
  return real(node, service, hints, result);
}

namespace {

void must(bool fine, const char* what) {
  if (!fine) {
    std::fprintf(stderr, "not so: %s\n", what);
    std::_Exit(1);
  }
}

/// A port whose listener takes nobody: its queue is filled, and the kernel drops what else would connect.
class FullBacklog {
 public:
  FullBacklog() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    must(::bind(listener_, generic, size) == 0 && ::listen(listener_, 0) == 0, "a listener");
    must(::getsockname(listener_, generic, &size) == 0, "its port");
    port = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {
      clients_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(clients_.back(), generic, size);
    }
  }
  ~FullBacklog() {
    for (const int client : clients_) {
      ::close(client);
    }
    ::close(listener_);
  }
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;

  std::uint16_t port = 0;

 private:
  int listener_;
  std::vector<int> clients_;
};

std::string url(const char* host, std::uint16_t port) {
  return std::string("http://") + host + ":" + std::to_string(port);
}

/// Asks a member that cannot be reached, and then one that can.
awaitable<void> ask(std::string sick_url) {
  TcpAcceptor acceptor(co_await asio::this_coro::executor, asio::ip::address_v4::loopback(),
                       std::uint16_t{0});
  testing::FaultServer server;  // its connections are the scope's, and end after the scope's body
  auto body = [&](Scope& scope) -> awaitable<void> {
    auto serve = [&] { return server.serve(acceptor); };
    scope.spawn(std::move(serve));

    HttpClient client(scope.get_executor(), HttpClientOptions());
    const auto well_url = url("127.0.0.1", acceptor.port());
    HttpProvider sick(
        client, HttpProviderOptions("sick", Protocol::openai_chat, parse_url(sick_url).value()));
    HttpProvider well(
        client, HttpProviderOptions("well", Protocol::openai_chat, parse_url(well_url).value()));
    const Chain chain{Member("sick", "m").with_base_url(sick_url),
                      Member("well", "m").with_base_url(well_url)};
    Policy policy;
    policy.with_stall(StallSettings().with_connect(300ms));
    State state;
    Request request("m");
    request.messages.emplace_back(Role::user, "Is the north tank full?");
    const auto began = Clock::now();
    auto open = [&](Attempt& attempt) {
      return (attempt.member().provider() == "sick" ? sick : well).open(request, attempt);
    };
    auto outcome = co_await failover(chain, policy, state, std::move(open));
    must(outcome.result.has_value(), "the next member answers");
    const auto answer = co_await read_answer(outcome.result.value());
    must(answer.has_value() && !answer->text().empty(), "in whole");
    const auto& first = outcome.report.attempts.at(0).failure;
    must(first.code() == FailoverReason::connection, "reason connection");
    must(first.evidence().phase == Phase::connect, "phase connect");
    must(Clock::now() - began < 300ms + 10s, "at the limit, generously");
    scope.cancel(StopReason::shutdown);
  };
  co_await with_scope(std::move(body));
}

void run(const std::string& sick_url) {
  asio::io_context context;
  asio::co_spawn(context, ask(sick_url), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
}

}  // namespace

int main() {
  run(url("hung.test", 80));
  must(hung == 1, "the lookup hangs");
  const FullBacklog full;
  run(url("127.0.0.1", full.port));
  std::puts("neither the next attempt nor the process has waited");
}
