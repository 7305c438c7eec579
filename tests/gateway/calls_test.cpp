#include "../../lib/gateway/calls.hpp"

#include <stdexcept>

#include "gateway_world.hpp"
#include "understudy/runtime/race.hpp"

using namespace gateway_test;

namespace {

/// A provider with a bug.
class Buggy final : public Provider {
 public:
  awaitable<Result<Stream>> open(const Request&, Attempt&) override {
    throw std::runtime_error("a bug");
    co_return FailoverReason::unknown;
  }
};

}  // namespace

TEST_CASE("a client that leaves cancels its call, as client_gone, and no member is marked") {
  GatewayWorld world;
  auto& lead = world.add();
  auto& understudy = world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    auto impatient = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
    auto leave = [] { return sleep_for(3s); };
    co_await race(std::move(impatient), std::move(leave));
    co_await sleep_for(50ms);
    CHECK(lead.open_connections() == 0);
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has("client_gone"));
    CHECK(recent.has(R"("broke":true,"client_left":true)"));
    CHECK(world.state->state().health().all_well());
    CHECK(understudy.requests() == 0);
  });
}

TEST_CASE("a client that leaves in mid-answer, or while another member is asked: client_gone") {
  for (const auto& fault : {Fault::silence(), Fault::close()}) {
    GatewayWorld world;
    auto& lead = world.add();
    auto& understudy = world.add();
    lead.reply(Reply::answer(ten).after(3, fault));
    understudy.reply(Reply::answer(ten).before_head(Fault::silence()));
    world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
      auto impatient = [&]() -> awaitable<void> { co_await post(http, paths()[0]); };
      auto leave = [] { return sleep_for(3s); };
      co_await race(std::move(impatient), std::move(leave));
      co_await sleep_for(50ms);
      const auto recent = co_await get(http, "/status");
      CHECK(recent.has(R"("outcome":"client_gone","took_ms")"));
      CHECK_FALSE(recent.has("cancelled"));
      CHECK(understudy.open_connections() == 0);
    });
  }
}

TEST_CASE("a call that ends by an exception is recorded, and no longer in flight") {
  GatewayWorld world;
  world.add();
  world.add();
  world.options.with_provider("anthropic", std::make_shared<Buggy>());
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    const Path whole{Protocol::openai_chat, "/v1/chat/completions",
                     R"({"model":"any","messages":[{"role":"user","content":"Is it full?"}]})"};
    const auto got = co_await post(http, whole);
    CHECK(got.status == 500);
    CHECK_FALSE(got.has("a bug"));
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has(R"("path":"/v1/chat/completions","status":0,"broke":true)"));
    CHECK(recent.has(R"("outcome":"unknown")"));
    CHECK(world.records->calls_in_flight() == 0);
  });
}

TEST_CASE("stopped during a call: its report says shutdown, and no member is marked") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  lead.reply(Reply::answer().before_head(Fault::silence()));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    auto caller = [&]() -> awaitable<void> {
      IgnoreIo nobody;
      const Endpoint there(Scheme::http, "gateway.localhost", 9000);
      HttpRequest request("POST", paths()[0].path);
      request.with_header("content-type", "application/json").with_body(paths()[0].body);
      const auto cut_off = co_await http.send(there, request, nobody);
      CHECK(cut_off.has_error());
      co_await sleep_for(5s);
    };
    auto stop = [&]() -> awaitable<void> {
      co_await sleep_for(1s);
      world.running->stop();
      co_await sleep_for(1s);
    };
    co_await race(std::move(caller), std::move(stop));
    const auto recent = co_await get(http, "/status");
    CHECK(recent.has(R"("outcome":"shutting down")"));
    CHECK(world.state->state().health().all_well());
    CHECK(lead.open_connections() == 0);
  });
}
