/// A resolver whose answers a test defines.
///
///     ScriptedResolver resolver;
///     resolver.answer("api.test", {asio::ip::make_address("192.0.2.1")}, 20ms);
///     resolver.fail("gone.test", asio::error::host_not_found);
///     resolver.hang("slow.test");
#pragma once

#include <map>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/resolver.hpp"

namespace understudy::testing {

/// See the top of the file. A name without a script has one address, 192.0.2.1 (of RFC 5737's for
/// examples). Threads: one executor.
class UNDERSTUDY_API ScriptedResolver final : public Resolver {
 public:
  /// The name resolves to these addresses, `after` this time.
  void answer(const std::string& host, Addresses addresses, Clock::duration after = {});
  /// The lookup fails, `after` this time.
  void fail(const std::string& host, error_code code, Clock::duration after = {});
  /// The lookup never ends.
  void hang(const std::string& host);

  /// The number of lookups so far.
  std::size_t lookups() const noexcept { return lookups_; }

 private:
  struct Script {
    NetResult<Addresses> answer;
    Clock::duration after{};
  };

  asio::awaitable<NetResult<Addresses>> look_up(std::string host) override;

  std::map<std::string, Script> scripts_;
  std::size_t lookups_ = 0;
};

}  // namespace understudy::testing
