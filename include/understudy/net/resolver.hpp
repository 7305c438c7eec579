/// Resolves names to addresses, so that a lookup that hangs delays only the callers that ask for that name.
///
/// Asio's resolver has one thread for each io_context: a hung getaddrinfo blocks every other lookup, and the destructor
/// of the context waits for it (architecture.md 3.3).
///
/// Invariants of SystemResolver
/// 1. Lookups run on its own threads, at most `max_threads`, started on demand. They are never joined, not even at the
///    end of the process.
/// 2. A name has at most one lookup at a time, regardless of the number of callers. A cancelled caller returns at once.
/// 3. A fresh answer (`fresh_for`) is returned from the cache, without a thread. An older answer, up to `stale_for`, is
///    returned if the lookup fails or has not completed after `stale_after`.
/// 4. Address literals are not looked up: `resolve` returns them directly.
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

/// The resolver interface of HttpClient; tests have their own implementation (testing/scripted_resolver.hpp).
class UNDERSTUDY_API Resolver {
 public:
  virtual ~Resolver() = default;

  /// Completes with at least one address, or an error (asio::error::host_not_found, no_address, ...; a local fault,
  /// runtime/local_fault.hpp, if the machine lacks a resource that a lookup needs).
  /// Completes at once for literals. Cancellation: completes at once with `operation_aborted`, returned or thrown as in
  /// Asio; the lookup itself continues. May be called on any executor.
  asio::awaitable<NetResult<Addresses>> resolve(std::string host);

 protected:
  /// As resolve(), for names that are not literal addresses.
  virtual asio::awaitable<NetResult<Addresses>> look_up(std::string host) = 0;
};

/// Threads, cache times and the lookup of a SystemResolver.
class ResolverOptions {
 public:
  ResolverOptions() noexcept {}

  /// A blocking lookup, called on any thread; it may never return. Default: getaddrinfo.
  using Lookup = std::function<NetResult<Addresses>(const std::string& host)>;

  ResolverOptions& with_lookup(Lookup f) { return lookup = std::move(f), *this; }
  ResolverOptions& with_max_threads(std::size_t n) { return max_threads = n, *this; }
  ResolverOptions& with_fresh_for(Clock::duration d) { return fresh_for = d, *this; }
  ResolverOptions& with_stale_after(Clock::duration d) { return stale_after = d, *this; }
  ResolverOptions& with_stale_for(Clock::duration d) { return stale_for = d, *this; }

  Lookup lookup;
  std::size_t max_threads = 16;
  std::size_t max_queued = 256;  ///< names waiting for a thread; above it: NetFault::resolver_busy
  std::size_t max_cached = 1024;
  Clock::duration fresh_for = std::chrono::seconds(60);  ///< as in curl, since getaddrinfo
                                                         ///< does not report a time to live
  Clock::duration stale_after = std::chrono::milliseconds(1800);  ///< RFC 8767 5
  Clock::duration stale_for = std::chrono::hours(24);             ///< RFC 8767 5: at least one day
};

/// See the top of the file. Threads: any; one object can serve all contexts of a program.
class UNDERSTUDY_API SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(ResolverOptions options = ResolverOptions());
  ~SystemResolver() override;

  /// The process-wide instance, which is never destroyed.
  static const std::shared_ptr<Resolver>& shared();

 private:
  struct State;

  asio::awaitable<NetResult<Addresses>> look_up(std::string host) override;

  std::shared_ptr<State> state_;
};

}  // namespace understudy
