// Issue 22277 over loopback, limits scaled down, for the one bound that only a release build is quick enough to
// promise: the provider that stalled sees its connection closed within 50 ms of the expiry.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "../harness.hpp"
#include "many_streams.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/test_certificates.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using namespace understudy;
using asio::awaitable;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;
using testing::SeenConnection;

constexpr int calls = 20;
constexpr Clock::duration limit = 300ms;
const std::string all_of_it = "one two three four five six seven eight nine ten";

class Provider {
 public:
  Provider(const asio::any_io_executor& executor, const testing::TestCertificates* certificates,
           const Reply& reply)
      : acceptor(executor, asio::ip::address_v4::loopback(), 0),
        server(certificates != nullptr ? FaultServer(*certificates) : FaultServer()),
        url(loopback(acceptor.port(), certificates != nullptr)) {
    server.reply(reply);
  }

  TcpAcceptor acceptor;
  FaultServer server;
  Url url;
};

/// From the expiry to the moment at which the server of the stalled connection saw it gone, in ms. Below
/// zero: the call did not go as it should.
awaitable<double> closed_after(Provider& sick, llm::HttpProvider& first,
                               llm::HttpProvider& second) {
  const Chain chain{Member("sick", "m"), Member("well", "m")};
  State
      state;  // a new one: what the call before has learned would keep this one from the sick member
  Policy policy;
  policy.with_stall(StallSettings().with_first_progress(limit).with_stale(limit));
  const auto request = question();
  auto open = [&](Attempt& attempt) {
    return (attempt.member().provider() == "sick" ? first : second).open(request, attempt);
  };
  const auto began = Clock::now();
  auto outcome = co_await failover(chain, policy, state, std::move(open));
  const auto answer = co_await llm::read_answer(outcome.result.value());
  while (sick.server.open_connections() > 0 && Clock::now() - began < limit + 1s) {
    co_await sleep_for(1ms);
  }
  const auto& connection = sick.server.connections().back();
  const auto& stalled = outcome.report.attempts.at(0);
  const auto& evidence = stalled.failure.evidence();
  const bool as_it_should = answer->text() == all_of_it && connection.requests.size() == 1 &&
                            connection.end == SeenConnection::End::client_reset &&
                            stalled.failure.code() == FailoverReason::timeout &&
                            evidence.limit == limit && evidence.heartbeats > 0;
  // The limit counts from the request's last byte on.
  const auto in = [&](Phase phase) { return stalled.in_phase[static_cast<std::size_t>(phase)]; };
  const auto expiry =
      began + stalled.began + in(Phase::pool_wait) + in(Phase::connect) + in(Phase::write) + limit;
  co_return as_it_should ? Milliseconds(connection.ended - expiry).count() : -1;
}

bool over(const testing::TestCertificates* certificates) {
  asio::io_context context(1);
  Provider sick(context.get_executor(), certificates,
                Reply::answer(all_of_it).after(1, Fault::silence(20ms)));
  Provider well(context.get_executor(), certificates, Reply::answer(all_of_it));
  HttpClientOptions options;
  if (certificates != nullptr) {
    options.with_ca_file(certificates->ca_file());
  }
  HttpClient client(context.get_executor(), options);
  llm::HttpProvider first(
      client, llm::HttpProviderOptions("sick", llm::Protocol::anthropic_messages, sick.url));
  llm::HttpProvider second(
      client, llm::HttpProviderOptions("well", llm::Protocol::openai_responses, well.url));
  std::vector<double> took;
  auto all = [&](Scope& scope) -> awaitable<void> {
    scope.spawn([&] { return sick.server.serve(sick.acceptor); });
    scope.spawn([&] { return well.server.serve(well.acceptor); });
    for (int i = 0; i < calls; ++i) {
      took.push_back(co_await closed_after(sick, first, second));
    }
    client.close();  // its kept connections would keep the context running
    scope.cancel(StopReason::shutdown);
  };
  asio::co_spawn(context, with_scope(std::move(all)), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  std::sort(took.begin(), took.end());
  std::printf("  %s, %d calls: median %.2f ms, worst %.2f ms\n", certificates ? "TLS" : "TCP",
              calls, took[took.size() / 2], took.back());
  if (took.front() < 0) {
    std::printf("  a call did not go as it should\n");
  }
  const auto* title = certificates ? "TLS, the worst" : "TCP, the worst";
  return reach(title, took.back(), 50, "ms") && took.front() >= 0;
}

}  // namespace

bool founding_incident() {
  std::printf("\na stall's expiry to the moment its provider sees the connection closed\n");
  const testing::TestCertificates certificates;
  const bool tcp = over(nullptr);
  return over(&certificates) && tcp;
}

}  // namespace bench
