// This process has run out of descriptors: no provider is to blame, no other one is asked, and all is well as
// soon as there are descriptors again. A program of its own, since the limit is the whole process's.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "understudy/failover/failover.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/test_certificates.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;

namespace {

bool failed = false;

void expect(bool fine, const std::string& what, const CallReport& report) {
  if (!fine) {
    failed = true;
    std::fprintf(stderr, "not so: %s\n%s\n", what.c_str(), report.to_text().c_str());
  }
}

/// While it lives, so many descriptors are left.
class FewLeft {
 public:
  explicit FewLeft(unsigned left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    auto limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest) + left;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FewLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewLeft(const FewLeft&) = delete;
  FewLeft& operator=(const FewLeft&) = delete;

 private:
  rlimit before_{};
};

/// What needs a descriptor that is not there.
struct Case {
  const char* name;
  std::string host;
  bool tls;
  std::string ca_file;
  unsigned left;
};

struct Servers {
  explicit Servers(const asio::any_io_executor& executor, const testing::TestCertificates& all)
      : plain(executor, asio::ip::address_v4::loopback(), std::uint16_t{0}),
        other(executor, asio::ip::address_v4::loopback(), std::uint16_t{0}),
        secure(executor, asio::ip::address_v4::loopback(), std::uint16_t{0}),
        over_tls(all) {}

  TcpAcceptor plain;
  TcpAcceptor other;
  TcpAcceptor secure;
  testing::FaultServer over_tcp;
  testing::FaultServer over_tls;
};

awaitable<Outcome<Answer>> ask(HttpClient& http, const std::string& url, bool stream,
                               State& state) {
  HttpProvider provider(http,
                        HttpProviderOptions("one", Protocol::openai_chat, parse_url(url).value())
                            .with_stream(stream));
  const Chain chain{Member("one", "m").with_base_url(url),
                    Member("another", "m").with_base_url(url + "/other")};
  Request request("m");
  request.messages.emplace_back(Role::user, "Is the north tank full?");
  auto whole = [&](Attempt& attempt) -> awaitable<Result<Answer>> {
    auto opened = co_await provider.open(request, attempt);
    if (opened.has_error()) {
      co_return opened.error();
    }
    co_return co_await read_answer(*opened);
  };
  const Policy policy;
  co_return co_await failover(chain, policy, state, std::move(whole));
}

awaitable<void> try_it(Case one, bool stream, Servers& servers) {
  const auto executor = co_await asio::this_coro::executor;
  const auto port = one.tls ? servers.secure.port() : servers.plain.port();
  const auto url =
      (one.tls ? "https://" : "http://") + one.host + ":" + std::to_string(port) + "/v1";
  HttpClient http(executor, HttpClientOptions()
                                .with_ca_file(one.ca_file)
                                .with_resolver(std::make_shared<SystemResolver>()));
  State state;
  const auto name = std::string(one.name) + (stream ? ", streamed" : ", whole");
  {
    const FewLeft few(one.left);
    const auto outcome = co_await ask(http, url, stream, state);
    const auto& report = outcome.report;
    expect(outcome.result.has_error() &&
               outcome.result.error().code() == boost::system::errc::too_many_files_open,
           name + ": the failure says that descriptors are out", report);
    expect(report.attempts.size() == 1, name + ": no other member is asked", report);
    expect(state.health().all_well(), name + ": no member is marked", report);
  }
  const auto after = co_await ask(http, url, stream, state);
  expect(after.result.has_value() && after.report.attempts.size() == 1,
         name + ": with descriptors it answers", after.report);
  http.close();
}

/// An idle connection gives way to one that is needed.
awaitable<void> reuse_of_idle(Servers& servers) {
  HttpClient http(co_await asio::this_coro::executor, HttpClientOptions());
  State state;
  const auto url = "http://127.0.0.1:" + std::to_string(servers.plain.port()) + "/v1";
  const auto before = co_await ask(http, url, true, state);
  expect(before.result.has_value() && http.idle_connections() == 1, "one is kept", before.report);
  const FewLeft none(0);
  const auto other = "http://127.0.0.1:" + std::to_string(servers.other.port()) + "/v1";
  const auto outcome = co_await ask(http, other, true, state);
  expect(outcome.result.has_value() && outcome.report.attempts.size() == 1,
         "an idle connection is closed for it", outcome.report);
  http.close();
}

awaitable<void> all(const testing::TestCertificates& certificates) {
  Servers servers(co_await asio::this_coro::executor, certificates);
  auto body = [&](Scope& scope) -> awaitable<void> {
    auto plain = [&] { return servers.over_tcp.serve(servers.plain); };
    auto secure = [&] { return servers.over_tls.serve(servers.secure); };
    auto other = [&] { return servers.over_tcp.serve(servers.other); };
    scope.spawn(std::move(plain));
    scope.spawn(std::move(other));
    scope.spawn(std::move(secure));
    const Case cases[] = {
        {"a socket", "127.0.0.1", false, "", 0},
        {"a lookup", "localhost", false, "", 0},
        {"a CA file", "127.0.0.1", true, certificates.ca_file(), 1},
        {"the system's CA file", "127.0.0.1", true, "", 1},
    };
    for (const auto& one : cases) {
      for (const bool stream : {true, false}) {
        co_await try_it(one, stream, servers);
      }
    }
    co_await reuse_of_idle(servers);
    scope.cancel(StopReason::shutdown);
  };
  co_await with_scope(std::move(body));
}

}  // namespace

int main() {
  const testing::TestCertificates certificates;
  ::setenv("SSL_CERT_FILE", certificates.ca_file().c_str(), 1);  // the system's, for this process
  asio::io_context context;
  asio::co_spawn(context, all(certificates), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  std::puts(failed ? "a provider was blamed for what this machine lacks"
                   : "no provider was blamed");
  return failed ? 1 : 0;
}
