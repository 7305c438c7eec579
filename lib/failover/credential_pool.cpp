#include "understudy/failover/credential_pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <numeric>
#include <stdexcept>

#include "understudy/runtime/notice.hpp"

namespace understudy {
namespace {

/// `label`, with a number behind it where it is taken: health and reports tell credentials by it.
template <class Entries>
std::string free_label(const Entries& entries, const std::string& label) {
  const auto taken = [&](const std::string& wanted) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return *entry->label == wanted; });
  };
  auto free = label;
  for (std::size_t number = 2; taken(free); ++number) {
    free = label + ' ' + std::to_string(number);
  }
  return free;
}

}  // namespace

struct CredentialPool::Entry {
  Entry(const std::string& provider, Credential credential)
      : label(std::make_shared<const std::string>(std::move(credential.label))),
        key(provider + '/' + *label),
        secret(std::move(credential.secret)),
        account(std::move(credential.account)),
        refresher(std::move(credential.refresher)) {}

  const std::shared_ptr<const std::string> label;
  const std::string key;
  Secret secret;
  std::string account;
  std::optional<Refresher> refresher;
  std::optional<Tokens> unpersisted;  // a refresh has brought them, but they were not written yet
  std::mutex one_persists;            // taken before the pool's
  std::uint64_t generation = 1;
  std::uint64_t uses = 0;
  bool refreshing = false;
  bool persisting = false;  // there is a Persisting
  bool retired = false;
  std::optional<Failure> refused;  // how the last refresh failed
  Notice notice;
};

/// A refresh under way. However it ends, also by never being run, it lands.
class CredentialPool::Flight {
 public:
  Flight(std::shared_ptr<CredentialPool> pool, std::size_t entry)
      : pool_(std::move(pool)), index_(entry) {}
  ~Flight() {
    if (!landed_) {
      land(Failure(FailoverReason::auth, "the refresh was abandoned: its scope has ended"));
    }
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void land(Result<Tokens> tokens) {
    landed_ = true;
    pool_->land(index_, std::move(tokens));
  }
  CredentialPool& pool() const noexcept { return *pool_; }
  std::size_t index() const noexcept { return index_; }

 private:
  std::shared_ptr<CredentialPool> pool_;
  std::size_t index_;
  bool landed_ = false;
};

/// The work of persisting tokens later. However it ends, also without having run, it can be started again.
class CredentialPool::Persisting {
 public:
  Persisting(std::shared_ptr<CredentialPool> pool, std::size_t entry)
      : pool_(std::move(pool)), index_(entry) {}
  ~Persisting() { end(); }
  Persisting(const Persisting&) = delete;
  Persisting& operator=(const Persisting&) = delete;

  void end() {
    if (!std::exchange(ended_, true)) {
      const std::lock_guard lock(pool_->mutex_);
      entry().persisting = false;
    }
  }
  CredentialPool& pool() const noexcept { return *pool_; }
  std::size_t index() const noexcept { return index_; }
  Entry& entry() const noexcept { return *pool_->entries_[index_]; }

 private:
  std::shared_ptr<CredentialPool> pool_;
  std::size_t index_;
  bool ended_ = false;
};

CredentialPool::CredentialPool(std::string provider, std::vector<Credential> credentials,
                               Strategy strategy)
    : provider_(std::move(provider)), strategy_(strategy) {
  for (auto& credential : credentials) {
    if (credential.secret.empty()) {
      throw std::invalid_argument("credential \"" + credential.label + "\" of provider \"" +
                                  provider_ + "\" is empty");
    }
    const auto same = [&](const auto& entry) { return entry->secret == credential.secret; };
    if (std::none_of(entries_.begin(), entries_.end(), same)) {
      credential.label = free_label(entries_, credential.label);
      entries_.push_back(std::make_unique<Entry>(provider_, std::move(credential)));
    }
  }
  if (entries_.empty()) {
    throw std::invalid_argument("provider \"" + provider_ + "\" has no credential");
  }
  slots_ = std::make_shared<CallSlots>(entries_.size());
}

std::shared_ptr<CredentialPool> CredentialPool::of_caller(std::string provider,
                                                          Credential credential) {
  std::vector<Credential> only;
  only.push_back(std::move(credential));
  auto pool = std::make_shared<CredentialPool>(std::move(provider), std::move(only));
  pool->of_caller_ = true;
  return pool;
}

CredentialPool::~CredentialPool() = default;

void CredentialPool::attach(Scope& root) {
  {
    const std::lock_guard lock(mutex_);
    roots_.push_back(root.remote());
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    keep_persisting(i, nullptr);
  }
}

void CredentialPool::detach(Scope& root) {
  const std::lock_guard lock(mutex_);
  std::erase(roots_, root.remote());
}

std::vector<std::size_t> CredentialPool::order(double random) const {
  std::vector<std::size_t> indices(entries_.size());
  std::iota(indices.begin(), indices.end(), 0U);
  if (indices.size() == 1) {
    return indices;
  }
  const std::lock_guard lock(mutex_);
  const auto begin_at = [&](std::size_t first) {
    std::rotate(indices.begin(), indices.begin() + static_cast<std::ptrdiff_t>(first),
                indices.end());
  };
  switch (strategy_) {
    case Strategy::fill_first: break;
    case Strategy::round_robin: begin_at(next_ % indices.size()); break;
    case Strategy::random:
      begin_at(static_cast<std::size_t>(random * static_cast<double>(indices.size())));
      break;
    case Strategy::least_used:
      std::sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(entries_[a]->uses, a) < std::pair(entries_[b]->uses, b);
      });
      break;
  }
  return indices;
}

CredentialUse CredentialPool::use(std::size_t index) {
  const std::lock_guard lock(mutex_);
  Entry& entry = *entries_[index];
  ++entry.uses;
  next_ = index + 1;
  return {index, entry.label, entry.secret, entry.account, entry.generation};
}

Secret CredentialPool::secret(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return entries_[index]->secret;
}

const std::string& CredentialPool::key(std::size_t index) const { return entries_[index]->key; }

void CredentialPool::retire(std::size_t index) {
  const std::lock_guard lock(mutex_);
  entries_[index]->retired = true;
}

bool CredentialPool::current(const CredentialUse& used) const {
  const std::lock_guard lock(mutex_);
  const Entry& entry = *entries_[used.index];
  return !entry.retired && entry.generation == used.generation;
}

bool CredentialPool::can_refresh(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return !roots_.empty() && entries_[index]->refresher;
}

bool CredentialPool::unpersisted() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return entry->unpersisted.has_value(); });
}

asio::awaitable<Result<void>> CredentialPool::refresh(const CredentialUse& used,
                                                      Clock::time_point until) {
  Entry& entry = *entries_[used.index];
  while (true) {
    const auto seen = entry.notice.version();
    std::shared_ptr<Flight> flight;
    std::optional<Remote> root;
    {
      const std::lock_guard lock(mutex_);
      if (entry.generation != used.generation) {
        co_return Result<void>();
      }
      if (roots_.empty() || !entry.refresher) {
        co_return Failure(FailoverReason::auth, "the credential cannot be refreshed");
      }
      if (!entry.refreshing) {
        entry.refreshing = true;
        entry.refused.reset();
        flight = std::make_shared<Flight>(shared_from_this(), used.index);
        root = roots_.back();
      }
    }
    if (flight) {
      root->post([flight](Scope& scope) {
        scope.spawn_shielded(longest_refresh, [flight] { return run_refresh(flight); });
      });
      flight.reset();
    }
    if (!co_await entry.notice.wait(seen, until)) {
      co_return Failure(Clock::now() >= until ? StopReason::deadline : StopReason::cancelled);
    }
    const std::lock_guard lock(mutex_);
    if (!entry.refreshing && entry.generation == used.generation && entry.refused) {
      co_return *entry.refused;
    }
  }
}

asio::awaitable<void> CredentialPool::run_refresh(std::shared_ptr<Flight> flight) {
  Result<Tokens> tokens = Failure();
  try {
    tokens = co_await flight->pool().new_tokens(flight->index());
  } catch (const FailoverError& thrown) {
    tokens = thrown.failure();
  } catch (const boost::system::system_error& thrown) {
    tokens = Failure(FailoverReason::auth, "the refresh failed: " + thrown.code().message());
  } catch (...) {  // what it says could be a token, and is not repeated
    tokens = Failure(FailoverReason::auth, "the refresh failed with an exception");
  }
  flight->land(std::move(tokens));
}

/// Whether nothing is left to be persisted. `refreshing`: the refresh under way calls it; no other call may
/// write meanwhile.
bool CredentialPool::persist(Entry& entry, bool refreshing) {
  const std::lock_guard alone(entry.one_persists);
  std::optional<Tokens> tokens;
  {
    const std::lock_guard lock(mutex_);
    if (!entry.unpersisted || (entry.refreshing && !refreshing)) {
      return !entry.unpersisted;
    }
    tokens = entry.unpersisted;
  }
  Result<void> persisted;
  try {
    persisted = entry.refresher->persist(*tokens);
  } catch (...) {  // what it says could be a token, and is not repeated
    persisted = Failure(FailoverReason::auth, "persisting the tokens failed with an exception");
  }
  if (persisted) {
    const std::lock_guard lock(mutex_);
    entry.unpersisted.reset();
  } else if (entry.refresher->report) {
    entry.refresher->report(
        {persisted.error().code(), "credential " + entry.key +
                                       ": new tokens are only in memory, and would be lost if this "
                                       "process ended; persisting them is retried: " +
                                       persisted.error().message()});
  }
  return persisted.has_value();
}

void CredentialPool::keep_persisting(std::size_t index, const Remote* ended) {
  std::shared_ptr<Persisting> work;
  std::optional<Remote> root;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = *entries_[index];
    const auto next = std::find_if(roots_.rbegin(), roots_.rend(), [&](const Remote& one) {
      return ended == nullptr || !(one == *ended);
    });
    if (!entry.unpersisted || entry.persisting || next == roots_.rend()) {
      return;
    }
    entry.persisting = true;
    root = *next;
    work = std::make_shared<Persisting>(shared_from_this(), index);
  }
  root->post([work, root](Scope& scope) {
    scope.spawn([work, root] { return run_persisting(work, *root); });
  });
}

asio::awaitable<void> CredentialPool::run_persisting(std::shared_ptr<Persisting> work,
                                                     Remote root) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Timer timer(co_await asio::this_coro::executor);
  auto pause = first_pause;
  bool cancelled = false;
  bool done = false;
  while (!done && !cancelled) {
    timer.expires_after(pause);
    const auto [stopped] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
    cancelled = bool(stopped);
    pause = std::min(2 * pause, longest_pause);
    done = work->pool().persist(work->entry(), false);
  }
  // A refresh may have left new work meanwhile; and if this scope is ending, another one takes over.
  work->end();
  work->pool().keep_persisting(work->index(), cancelled ? &root : nullptr);
}

asio::awaitable<Result<Tokens>> CredentialPool::new_tokens(std::size_t index) {
  Entry& entry = *entries_[index];
  persist(entry,
          true);  // what an earlier refresh brought: the provider has spent what is persisted
  Secret refresh_token;
  {
    const std::lock_guard lock(mutex_);
    refresh_token = entry.refresher->refresh_token;
  }
  auto tokens = co_await entry.refresher->refresh(refresh_token);
  if (!tokens) {
    co_return tokens.error();
  }
  bool same = false;
  {
    const std::lock_guard lock(mutex_);
    same = tokens->access == entry.secret || tokens->access.empty();
    if (tokens->refresh.empty()) {
      tokens->refresh = refresh_token;
    }
    const bool rotated = !(tokens->refresh == refresh_token);
    if (!tokens->access.empty() && (!same || rotated)) {
      entry.refresher->refresh_token = tokens->refresh;
      entry.unpersisted = *tokens;
    }
  }
  persist(entry, true);
  if (same) {
    co_return Failure(FailoverReason::auth, "the refresh returned the same credential again");
  }
  co_return tokens;
}

void CredentialPool::land(std::size_t index, Result<Tokens> tokens) {
  Entry& entry = *entries_[index];
  {
    const std::lock_guard lock(mutex_);
    entry.refreshing = false;
    if (tokens) {
      entry.secret = tokens->access;
      entry.account = tokens->account;
      ++entry.generation;
    } else {
      entry.refused = tokens.error();
    }
  }
  entry.notice.notify();
  keep_persisting(index, nullptr);
}

}  // namespace understudy
