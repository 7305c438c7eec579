/// The connection pool: open connections per endpoint, and the callers that wait for one.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/net/byte_stream.hpp"
#include "understudy/net/detail/wake_up.hpp"
#include "understudy/net/url.hpp"
#include "understudy/runtime/detail/alarm.hpp"

namespace understudy::detail {

class PoolLimits {
 public:
  PoolLimits(std::size_t c, std::size_t i, Clock::duration d) noexcept
      : connections(c), idle(i), idle_for(d) {}

  PoolLimits& with_discarded(std::shared_ptr<std::atomic<std::uint64_t>> counter) {
    return discarded = std::move(counter), *this;
  }

  std::size_t connections;   ///< to one endpoint, in use and idle
  std::size_t idle;          ///< to one endpoint
  Clock::duration idle_for;  ///< an idle connection is closed after this time
  std::shared_ptr<std::atomic<std::uint64_t>> discarded;  ///< null, or see HttpClientOptions
};

class ConnectionPool;

/// The permission to use one connection, and the connection once it exists. The destructor aborts the connection.
class UNDERSTUDY_API Lease {
 public:
  Lease() noexcept {}
  Lease(std::shared_ptr<ConnectionPool> pool, const Endpoint& endpoint) noexcept
      : pool_(std::move(pool)), endpoint_(&endpoint) {}
  Lease(Lease&& other) noexcept
      : stream(std::move(other.stream)),
        reused(other.reused),
        pool_(std::move(other.pool_)),
        endpoint_(other.endpoint_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  /// Resets the connection, if there is one.
  void abort() noexcept;

  /// Returns the connection to the pool.
  void give_back();

  std::unique_ptr<ByteStream> stream;
  bool reused = false;

 private:
  std::shared_ptr<ConnectionPool> pool_;
  const Endpoint* endpoint_ =
      nullptr;  // a key of the pool's map; the entry exists while a lease does
};

/// Invariants
/// 1. An endpoint has at most `limits.connections` connections, of which at most `limits.idle` are idle. Further
///    callers wait in first-in, first-out order.
/// 2. The most recently used connection is reused first. A connection on which the peer has sent unexpected data, or
///    which the peer has closed, is not reused.
/// 3. One alarm times all idle connections. It is not armed while no connection is idle.
class UNDERSTUDY_API ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(const asio::any_io_executor& executor, const PoolLimits& limits);

  /// Completes with an idle connection (unless `fresh`), or with the permission to open one. Calls `about_to_wait`
  /// before it waits. If cancelled, it completes with an empty lease without a pool.
  template <class F>
  asio::awaitable<std::optional<Lease>> lease(const Endpoint& endpoint, bool fresh,
                                              F about_to_wait) {
    const auto keep = shared_from_this();
    if (auto now = try_lease(endpoint, fresh, nullptr)) {
      co_return now;
    }
    about_to_wait();
    Waiting waiting(*this, endpoint);
    while (true) {
      if (co_await waiting.wake_up.wait()) {
        co_return std::nullopt;
      }
      if (auto now = try_lease(endpoint, fresh, &waiting)) {
        co_return now;
      }
    }
  }

  /// Closes idle connections. Connections in use are closed when they are returned.
  void close();

  /// Closes idle connections, to one endpoint or to all of them. Returns whether there were any.
  bool close_idle(const Endpoint& endpoint);
  bool close_idle();

  std::size_t idle_connections() const noexcept;

 private:
  friend class Lease;

  struct Idle {
    std::unique_ptr<ByteStream> stream;
    Clock::time_point until;
  };
  struct Waiting;
  struct Place {
    std::size_t open = 0;
    std::vector<Idle> idle;  // the most recently used one is last
    std::list<Waiting*> waiting;
  };
  using Places = std::map<Endpoint, Place>;
  struct Waiting {
    Waiting(ConnectionPool& pool, const Endpoint& endpoint);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    ConnectionPool& pool;
    Places::iterator place;
    WakeUp wake_up;
  };

  std::optional<Lease> try_lease(const Endpoint& endpoint, bool fresh, const Waiting* who);
  void returned(const Endpoint& endpoint, std::unique_ptr<ByteStream> idle);
  bool close_idle(Places::iterator place);
  void discard(const ByteStream& stream) noexcept;
  void settle(Places::iterator place);
  void expire();

  asio::any_io_executor executor_;
  PoolLimits limits_;
  Places places_;
  bool closed_ = false;
  Alarm alarm_;
};

}  // namespace understudy::detail
