#include "understudy/net/detail/connection_pool.hpp"

#include <algorithm>

namespace understudy::detail {

Lease::~Lease() {
  abort();
  if (pool_) {
    pool_->returned(*endpoint_, nullptr);
  }
}

void Lease::abort() noexcept {
  if (stream && pool_) {
    pool_->discard(*stream);
  }
  if (stream) {
    stream->abort();
  }
}

void Lease::give_back() {
  if (const auto pool = std::move(pool_)) {
    pool->returned(*endpoint_, std::move(stream));
  }
}

ConnectionPool::Waiting::Waiting(ConnectionPool& p, const Endpoint& endpoint)
    : pool(p), place(p.places_.try_emplace(endpoint).first), wake_up(p.executor_) {
  place->second.waiting.push_back(this);
}

ConnectionPool::Waiting::~Waiting() {
  place->second.waiting.remove(this);
  pool.settle(place);
}

ConnectionPool::ConnectionPool(const asio::any_io_executor& executor, const PoolLimits& limits)
    : executor_(executor),
      limits_(limits),
      alarm_(
          executor,
          [](void* pool, Clock::time_point) { static_cast<ConnectionPool*>(pool)->expire(); },
          this) {}

std::optional<Lease> ConnectionPool::try_lease(const Endpoint& endpoint, bool fresh,
                                               const Waiting* who) {
  const auto found = places_.try_emplace(endpoint).first;
  auto& place = found->second;
  if (!place.waiting.empty() && place.waiting.front() != who) {
    return std::nullopt;
  }
  while (!place.idle.empty() && !fresh) {
    auto stream = std::move(place.idle.back().stream);
    place.idle.pop_back();
    if (stream->idle()) {
      Lease lease(shared_from_this(), found->first);
      lease.stream = std::move(stream);
      lease.reused = true;
      return lease;
    }
    stream->close();
    --place.open;
  }
  if (place.open >= limits_.connections && !place.idle.empty()) {
    place.idle.front().stream->close();
    place.idle.erase(place.idle.begin());
    --place.open;
  }
  if (place.open >= limits_.connections) {
    return std::nullopt;
  }
  ++place.open;
  return Lease(shared_from_this(), found->first);
}

void ConnectionPool::discard(const ByteStream& stream) noexcept {
  if (limits_.discarded) {
    limits_.discarded->fetch_add(stream.unread(), std::memory_order_relaxed);
  }
}

void ConnectionPool::returned(const Endpoint& endpoint, std::unique_ptr<ByteStream> idle) {
  const auto found = places_.find(endpoint);
  auto& place = found->second;
  if (idle && (closed_ || place.idle.size() >= limits_.idle)) {
    idle->close();
    idle.reset();
  }
  if (idle) {
    const auto until = Clock::now() + limits_.idle_for;
    place.idle.push_back(Idle{std::move(idle), until});
    if (until < alarm_.due()) {
      alarm_.set(until);
    }
  } else {
    --place.open;
  }
  settle(found);
}

/// After something has changed for an endpoint.
void ConnectionPool::settle(Places::iterator place) {
  if (!place->second.waiting.empty()) {
    place->second.waiting.front()->wake_up.notify();
  } else if (place->second.open == 0) {
    places_.erase(place);
  }
}

void ConnectionPool::expire() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (auto place = places_.begin(); place != places_.end();) {
    auto& idle = place->second.idle;
    const auto first_kept =
        std::find_if(idle.begin(), idle.end(), [&](const Idle& i) { return i.until > now; });
    std::for_each(idle.begin(), first_kept, [](const Idle& i) { i.stream->close(); });
    place->second.open -= static_cast<std::size_t>(first_kept - idle.begin());
    idle.erase(idle.begin(), first_kept);
    if (!idle.empty()) {
      next = std::min(next, idle.front().until);
    }
    settle(place++);
  }
  alarm_.set(next);
}

void ConnectionPool::close() {
  closed_ = true;
  alarm_.clear();
  close_idle();
}

bool ConnectionPool::close_idle() {
  bool any = false;
  for (auto place = places_.begin(); place != places_.end();) {
    any = close_idle(place++) || any;
  }
  return any;
}

bool ConnectionPool::close_idle(const Endpoint& endpoint) {
  const auto place = places_.find(endpoint);
  return place != places_.end() && close_idle(place);
}

bool ConnectionPool::close_idle(Places::iterator place) {
  auto& idle = place->second.idle;
  const bool any = !idle.empty();
  std::for_each(idle.begin(), idle.end(), [](const Idle& i) { i.stream->close(); });
  place->second.open -= idle.size();
  idle.clear();
  settle(place);
  return any;
}

std::size_t ConnectionPool::idle_connections() const noexcept {
  std::size_t count = 0;
  for (const auto& place : places_) {
    count += place.second.idle.size();
  }
  return count;
}

}  // namespace understudy::detail
