#include "understudy/testing/scripted_resolver.hpp"

#include <boost/asio/as_tuple.hpp>

namespace understudy::testing {

void ScriptedResolver::answer(const std::string& host, Addresses addresses, Clock::duration after) {
  scripts_.insert_or_assign(host, Script{std::move(addresses), after});
}

void ScriptedResolver::fail(const std::string& host, error_code code, Clock::duration after) {
  scripts_.insert_or_assign(host, Script{NetError(code, Phase::connect, host), after});
}

void ScriptedResolver::hang(const std::string& host) {
  scripts_.insert_or_assign(host, Script{Addresses(), Clock::duration::max()});
}

asio::awaitable<NetResult<Addresses>> ScriptedResolver::look_up(std::string host) {
  ++lookups_;
  const auto script = scripts_.find(host);
  if (script == scripts_.end()) {
    co_return Addresses(1, asio::ip::make_address("192.0.2.1"));
  }
  const auto answer = script->second.answer;
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(script->second.after);
  const auto [code] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
  if (code) {
    co_return NetError(code, Phase::connect);
  }
  co_return answer;
}

}  // namespace understudy::testing
