/// Names to addresses, so that a lookup that hangs harms nobody but those who ask for that name.
///
/// Asio's resolver has one thread for each io_context: a hung getaddrinfo delays every other lookup by
/// its whole time, and even the context's destructor waits for it (architecture.md 3.3).
///
/// Invariants of SystemResolver
/// 1. Lookups run on its own threads, at most `max_threads`, started when needed. Nobody joins them, not
///    even the end of the process.
/// 2. One lookup for a name at a time, however many ask; one that is cancelled leaves at once.
/// 3. A fresh answer (`fresh_for`) comes from the cache, without a thread. An older one is served if the
///    lookup fails, or has not answered after `stale_after`, and is not older than `stale_for`.
/// 4. Address literals never get here: `resolve` answers them itself.
///
///     auto addresses = co_await resolver->resolve("api.example.com");
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "understudy/export.hpp"
#include "understudy/net/transport.hpp"

namespace understudy {

/// What an HttpClient asks; a test has its own (testing/scripted_resolver.hpp).
class UNDERSTUDY_API Resolver {
 public:
  virtual ~Resolver() = default;

  /// Completes with at least one address, or an error (asio::error::host_not_found, no_address, ...; a local one,
  /// runtime/local_fault.hpp, where the machine lacks what a lookup needs).
  /// Literals are answered at once. Cancellation: ends at once, with `operation_aborted` or thrown as
  /// Asio does; the lookup itself goes on. May be called on any executor.
  asio::awaitable<NetResult<Addresses>> resolve(std::string host);

 protected:
  virtual asio::awaitable<NetResult<Addresses>> look_up(std::string host) = 0;
};

class ResolverOptions {
 public:
  ResolverOptions() noexcept {}

  /// Blocks, on any thread, and may take for ever. Default: getaddrinfo.
  using Lookup = std::function<NetResult<Addresses>(const std::string& host)>;

  ResolverOptions& with_lookup(Lookup f) { return lookup = std::move(f), *this; }
  ResolverOptions& with_max_threads(std::size_t n) { return max_threads = n, *this; }
  ResolverOptions& with_fresh_for(Clock::duration d) { return fresh_for = d, *this; }
  ResolverOptions& with_stale_after(Clock::duration d) { return stale_after = d, *this; }
  ResolverOptions& with_stale_for(Clock::duration d) { return stale_for = d, *this; }

  Lookup lookup;
  std::size_t max_threads = 16;
  std::size_t max_queued = 256;  ///< names that wait for a thread; beyond: NetFault::resolver_busy
  std::size_t max_cached = 1024;
  Clock::duration fresh_for = std::chrono::seconds(60);           ///< as curl's, since getaddrinfo
                                                                  ///< tells no time to live
  Clock::duration stale_after = std::chrono::milliseconds(1800);  ///< RFC 8767 5
  Clock::duration stale_for = std::chrono::hours(24);             ///< RFC 8767 5: a day at least
};

/// See the top of the file. Threads: any; one object serves all contexts of a program.
class UNDERSTUDY_API SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(ResolverOptions options = ResolverOptions());
  ~SystemResolver() override;

  /// The program's own, never destroyed.
  static const std::shared_ptr<Resolver>& shared();

 private:
  struct State;

  asio::awaitable<NetResult<Addresses>> look_up(std::string host) override;

  std::shared_ptr<State> state_;
};

}  // namespace understudy
