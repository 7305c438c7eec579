#include "provider_process.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>

#include "understudy/net/tcp.hpp"

namespace bench {
namespace {

using namespace understudy;

void must(bool fine) {
  if (!fine) {
    std::perror("bench_net");
    std::_Exit(1);
  }
}

[[noreturn]] void serve(const std::vector<testing::Reply>& scripts,
                        const testing::TestCertificates* certificates, int pipe) {
  raise_descriptor_limit();
  asio::io_context context(1);
  std::deque<testing::FaultServer> servers;
  std::vector<std::unique_ptr<TcpAcceptor>> acceptors;
  for (const auto& script : scripts) {
    acceptors.push_back(
        std::make_unique<TcpAcceptor>(context.get_executor(), asio::ip::address_v4::loopback(), 0));
    auto& server =
        certificates != nullptr ? servers.emplace_back(*certificates) : servers.emplace_back();
    server.reply(script);
    asio::co_spawn(context, server.serve(*acceptors.back()),
                   [](const std::exception_ptr& error) { must(!error); });
    const auto port = acceptors.back()->port();
    must(::write(pipe, &port, sizeof port) == sizeof port);
  }
  context.run();
  std::_Exit(0);
}

}  // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  must(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  must(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit.rlim_cur;
}

ProviderProcess::ProviderProcess(const std::vector<testing::Reply>& scripts,
                                 const testing::TestCertificates* certificates)
    : ports(scripts.size()) {
  int ends[2];
  must(::pipe(ends) == 0);
  child_ = ::fork();
  must(child_ >= 0);
  if (child_ == 0) {
    ::close(ends[0]);
    serve(scripts, certificates, ends[1]);
  }
  ::close(ends[1]);
  for (auto& port : ports) {
    must(::read(ends[0], &port, sizeof port) == sizeof port);
  }
  ::close(ends[0]);
}

ProviderProcess::~ProviderProcess() {
  ::kill(child_, SIGTERM);
  ::waitpid(child_, nullptr, 0);
}

}  // namespace bench
