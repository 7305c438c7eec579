#include "understudy/net/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "understudy/net/detail/wake_up.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

/// What getaddrinfo says, in Asio's categories.
error_code code_of(int failure) noexcept {
  switch (failure) {
    case EAI_AGAIN: return asio::error::host_not_found_try_again;
    case EAI_FAIL: return asio::error::no_recovery;
    case EAI_MEMORY: return asio::error::no_memory;
    case EAI_NODATA: return asio::error::no_data;
    case EAI_SYSTEM: return {errno, boost::system::system_category()};
    default: return asio::error::host_not_found;
  }
}

/// glibc says "unknown name" (EAI_NONAME) where it could not open what it looks into; errno says why.
error_code code_of_lookup(int failure, int number) noexcept {
  const error_code system(number, boost::system::system_category());
  return local_fault_of(system) ? system : code_of(failure);
}

NetResult<Addresses> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  errno = 0;
  if (const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failure != 0) {
    return NetError(code_of_lookup(failure, errno), Phase::connect, host);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Addresses addresses;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, entry->ai_addr, sizeof address);
      addresses.emplace_back(asio::ip::address_v4(ntohl(address.sin_addr.s_addr)));
    } else if (entry->ai_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, entry->ai_addr, sizeof address);
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      addresses.emplace_back(asio::ip::address_v6(bytes, address.sin6_scope_id));
    }
  }
  return addresses;
}

/// Somebody who waits for a name. It is linked while it waits, so whoever posts to its executor under the
/// lock knows that the executor's context is still there.
struct Waiting {
  explicit Waiting(const asio::any_io_executor& e) : executor(e), wake_up(e) {}

  asio::any_io_executor executor;
  detail::WakeUp wake_up;
  std::optional<NetResult<Addresses>> answer;  // these two are written on the executor alone
  bool impatient = false;                      // the answer of before will do
};

struct Cached {
  Addresses addresses;
  Clock::time_point since;
};

using Waiters = std::list<std::shared_ptr<Waiting>>;

}  // namespace

asio::awaitable<NetResult<Addresses>> Resolver::resolve(std::string host) {
  error_code code;
  if (auto literal = asio::ip::make_address(host, code); !code) {
    co_return Addresses(1, literal);
  }
  auto found = co_await look_up(host);
  if (found.has_value() && found->empty()) {
    co_return NetError(NetFault::no_address, Phase::connect, std::move(host));
  }
  co_return found;
}

struct SystemResolver::State : std::enable_shared_from_this<State> {
  explicit State(ResolverOptions o) : options(std::move(o)) {
    if (!options.lookup) {
      options.lookup = system_lookup;
    }
  }

  /// Joins the flight for the name, or starts one. Errors: resolver_busy, LocalFault::threads.
  error_code join(const std::string& host, const std::shared_ptr<Waiting>& waiting) {
    const std::lock_guard lock(mutex);
    auto flight = flights.find(host);
    if (flight == flights.end()) {
      if (queue.size() >= options.max_queued) {
        return NetFault::resolver_busy;
      }
      if (idle <= queue.size() && threads < options.max_threads && !start_thread()) {
        return LocalFault::threads;
      }
      flight = flights.emplace(host, Waiters()).first;
      queue.push_back(host);
      work.notify_one();
    }
    flight->second.push_back(waiting);
    return {};
  }

  void leave(const std::string& host, const std::shared_ptr<Waiting>& waiting) {
    const std::lock_guard lock(mutex);
    if (const auto flight = flights.find(host); flight != flights.end()) {
      flight->second.remove(waiting);  // the flight goes on: its answer is for the cache
    }
  }

  std::optional<Addresses> cached(const std::string& host, Clock::duration at_most) {
    const std::lock_guard lock(mutex);
    const auto entry = cache.find(host);
    if (entry == cache.end() || Clock::now() - entry->second.since > at_most) {
      return std::nullopt;
    }
    return entry->second.addresses;
  }

  bool start_thread() {
    try {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
      ++threads;
      return true;
    } catch (const std::system_error&) {
      return threads > 0;  // those that there are will come to it
    }
  }

  NetResult<Addresses> look_up(const std::string& host) const {
    try {
      return options.lookup(host);
    } catch (const std::bad_alloc&) {  // thrown on, it would end the program
      return NetError(LocalFault::memory, Phase::connect);
    }
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      work.wait(lock, [this] { return ended || !queue.empty(); });
      --idle;
      if (queue.empty()) {
        return;
      }
      const auto host = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      auto answer = look_up(host);
      lock.lock();
      land(host, answer);
    }
  }

  void land(const std::string& host, const NetResult<Addresses>& answer) {
    if (answer.has_value() && !answer->empty()) {
      remember(host, *answer);
    }
    const auto flight = flights.find(host);
    for (const auto& waiting : flight->second) {
      asio::post(waiting->executor, [waiting, answer] {
        waiting->answer = answer;
        waiting->wake_up.notify();
      });
    }
    flights.erase(flight);
  }

  void remember(const std::string& host, const Addresses& addresses) {
    if (cache.size() >= options.max_cached && !cache.contains(host)) {
      cache.erase(std::min_element(cache.begin(), cache.end(), [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
      }));
    }
    cache.insert_or_assign(host, Cached{addresses, Clock::now()});
  }

  ResolverOptions options;
  std::mutex mutex;
  std::condition_variable work;
  std::map<std::string, Waiters> flights;
  std::deque<std::string> queue;  // of names whose flight waits for a thread
  std::map<std::string, Cached> cache;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool ended = false;
};

SystemResolver::SystemResolver(ResolverOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

SystemResolver::~SystemResolver() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->work.notify_all();
}

const std::shared_ptr<Resolver>& SystemResolver::shared() {
  static const auto& resolver = *new std::shared_ptr<Resolver>(std::make_shared<SystemResolver>());
  return resolver;
}

asio::awaitable<NetResult<Addresses>> SystemResolver::look_up(std::string host) {
  if (auto fresh = state_->cached(host, state_->options.fresh_for)) {
    co_return std::move(*fresh);
  }
  const auto state = state_;
  const auto executor = co_await asio::this_coro::executor;
  const auto stale = state->cached(host, state->options.stale_for);

  struct Membership {
    Membership(State& s, const std::string& h, std::shared_ptr<Waiting> w)
        : state(s), host(h), waiting(std::move(w)), refused(state.join(host, waiting)) {}
    ~Membership() { state.leave(host, waiting); }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    State& state;
    const std::string& host;
    std::shared_ptr<Waiting> waiting;
    error_code refused;
  };
  const Membership membership(*state, host, std::make_shared<Waiting>(executor));
  auto& waiting = *membership.waiting;
  if (membership.refused && !stale) {
    co_return NetError(membership.refused, Phase::connect, std::move(host));
  }

  // The end of patience with a name whose last answer is still at hand.
  Timer patience(executor);
  waiting.impatient = membership.refused.failed();
  if (stale && !waiting.impatient) {
    patience.expires_after(state->options.stale_after);
    patience.async_wait([kept = membership.waiting](error_code code) {
      if (!code) {
        kept->impatient = true;
        kept->wake_up.notify();
      }
    });
  }
  while (!waiting.answer && !waiting.impatient) {
    if (co_await waiting.wake_up.wait()) {
      co_return NetError(asio::error::operation_aborted, Phase::connect);
    }
  }
  if (stale && (!waiting.answer || waiting.answer->has_error())) {
    co_return *stale;
  }
  co_return std::move(*waiting.answer);
}

}  // namespace understudy
