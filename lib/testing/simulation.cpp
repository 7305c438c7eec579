#include "understudy/testing/simulation.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "dice.hpp"
#include "run_seeds.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/runtime/notice.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace understudy::testing {
namespace {

using namespace std::chrono_literals;

/// How a provider is for a while.
enum class Mood : unsigned char {
  well,
  slow,        // answers, later than some limits allow
  heartbeats,  // and never a token
  silent,      // not even those
  refusing,    // connections
  resetting,   // after a while
  overloaded,  // 503
  failing,     // 500
  limited,     // 429, with a time or without
  broke,       // billing
  malformed,
  overflowing,  // the prompt is too large for it
  picky,        // the request can be mended
};
constexpr unsigned moods = static_cast<unsigned>(Mood::picky) + 1;

struct Phase {
  Clock::time_point until;
  Mood mood;
};

/// One attempt, as its provider saw it.
struct Seen {
  std::size_t call;
  std::size_t provider;
  std::size_t index;  // among the provider's
};

class Simulation final {
 public:
  Simulation(std::uint64_t seed, std::ostream* log)
      : dice_(seed), state_(BudgetSettings(), seed), log_(log) {
    draw_providers();
    draw_policy();
    draw_calls();
  }

  Schedule run() {
    asio::co_spawn(context_, whole(), [](const std::exception_ptr& error) {
      if (error) {
        std::rethrow_exception(error);
      }
    });
    try {
      time_.run(context_);
    } catch (const std::exception& error) {
      complain(std::string("it threw: ") + error.what());
    }
    check_end();
    return std::move(result_);
  }

 private:
  /// A caller, and the observer of its call.
  class Caller final : public Observer {
   public:
    Caller(Simulation& simulation, std::size_t number) : simulation_(simulation), index(number) {}

    void attempt_began(const AttemptReport& attempt) override { simulation_.began(attempt); }
    void attempt_progressed(const AttemptReport& attempt) override {
      simulation_.progressed(attempt);
    }
    void attempt_ended(const AttemptReport& attempt) override { simulation_.ended(attempt); }
    void call_ended(const CallReport&) override { ++reports; }

   private:
    Simulation& simulation_;

   public:
    std::size_t index;
    Clock::duration starts{};
    std::optional<Clock::duration> leaves_after;
    std::uint64_t prompt = 0;
    asio::cancellation_signal signal;
    std::optional<Clock::time_point> left;
    bool done = false;
    int reports = 0;
  };

  std::uint64_t pick(std::uint64_t n) { return dice_.pick(n); }
  bool chance(unsigned percent) { return dice_.chance(percent); }
  Clock::duration between(Clock::duration least, Clock::duration most) {
    return least + Clock::duration(static_cast<Clock::rep>(
                       pick(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

  void complain(const std::string& what) {
    if (log_ != nullptr) {
      *log_ << "    WRONG: " << what << '\n';
    }
    testing::complain(result_, what);
  }

  void trace(std::uint64_t value) { testing::trace(result_, value); }

  // --- drawing ---------------------------------------------------------------------------------

  void draw_providers() {
    const auto count = 1 + pick(4);
    for (std::size_t i = 0; i < count; ++i) {
      auto& phases = phases_.emplace_back();
      Clock::time_point until{};
      const bool sickly = chance(30);
      while (until < Clock::time_point(2h)) {
        until += between(5s, 10min);
        const bool well = chance(sickly ? 20 : 60);
        phases.push_back({until, well ? Mood::well : static_cast<Mood>(pick(moods))});
      }
      const std::string name = "p" + std::to_string(i);
      providers_.push_back(std::make_unique<ScriptedProvider>(
          name, [this, i](const Asked& asked) { return behaviour(i, asked); }));
      Member member(name, "m");
      if (chance(40)) {
        member.with_context_window(50'000 * (1 + pick(4)));
      }
      keys_.push_back(chance(60) ? 1 + pick(3) : 0);
      if (keys_.back() > 0) {
        member.with_credentials(draw_pool(i, keys_.back()));
      }
      chain_.push_back(std::move(member));
    }
    if (chance(20)) {  // another model of the first provider, with its keys
      chain_.push_back(Member("p0", "n").with_credentials(chain_[0].credentials()));
    }
  }

  std::shared_ptr<CredentialPool> draw_pool(std::size_t provider, std::size_t keys) {
    std::vector<Credential> credentials;
    for (std::size_t k = 0; k < keys; ++k) {
      const std::string label = "k" + std::to_string(k);
      Credential credential(label, Secret(label + "#0"));
      if (chance(40)) {
        const auto refresh = [this, provider, label](const Secret& token) {
          return new_tokens(provider, label, token);
        };
        const auto persist = [this](const Tokens&) {
          return chance(5) ? Result<void>(Failure(FailoverReason::auth, "the disk is full"))
                           : Result<void>();
        };
        credential.with_refresher(Refresher(Secret(label + "#0 refresh"), refresh, persist));
        expires_[{provider, label + "#0"}] = Clock::time_point(between(1s, 1h));
      }
      credentials.push_back(std::move(credential));
    }
    pools_.push_back(std::make_shared<CredentialPool>(
        "p" + std::to_string(provider), std::move(credentials), static_cast<Strategy>(pick(4))));
    return pools_.back();
  }

  /// A refresh token works once.
  asio::awaitable<Result<Tokens>> new_tokens(std::size_t provider, std::string label,
                                             Secret token) {
    co_await sleep_for(between(10ms, 2s));
    if (!spent_tokens_.insert({{provider, std::string(token.reveal())}, true}).second) {
      complain("a refresh token was used twice");
    }
    const std::string next = label + '#' + std::to_string(++tokens_);
    expires_[{provider, next}] = Clock::now() + between(10s, 1h);
    co_return Tokens(Secret(next), Secret(next + " refresh"));
  }

  void draw_policy() {
    policy_.with_eager_on_timeout(chance(80)).with_max_retries(static_cast<unsigned>(pick(4)));
    policy_.with_patience(between(0s, 5s)).with_probe_grace(between(100ms, 3s));
    if (chance(30)) {
      policy_.with_deadline(between(2s, 10min));
    }
    if (chance(15)) {
      policy_.with_hedge_after(between(100ms, 10s));
    }
    if (chance(20)) {
      policy_.with_recover({FailoverReason::timeout, FailoverReason::rate_limit});
    }
    if (chance(30)) {
      policy_.with_stall(StallSettings().with_stale(between(1s, 60s)));
    }
    if (chance(20)) {
      policy_.with_on_content_policy(OnContentPolicy::fail_over);
    }
  }

  void draw_calls() {
    const auto kind = pick(100);
    const auto count = kind < 70 ? 5 + pick(26) : kind < 97 ? 30 + pick(71) : 100 + pick(901);
    const auto span = chance(30) ? Clock::duration::zero() : between(1s, 1h);
    for (std::size_t i = 0; i < count; ++i) {
      auto& caller = *callers_.emplace_back(std::make_unique<Caller>(*this, i));
      caller.starts = between(0s, span);
      caller.prompt = pick(4) * 40'000;
      if (chance(10)) {
        caller.leaves_after = between(0s, chance(50) ? Clock::duration(3s) : Clock::duration(5min));
      }
    }
    result_.calls = count;
  }

  // --- what the providers do -------------------------------------------------------------------

  Mood mood(std::size_t provider) const {
    for (const auto& phase : phases_[provider]) {
      if (Clock::now() < phase.until) {
        return phase.mood;
      }
    }
    return Mood::well;
  }

  Behaviour behaviour(std::size_t provider, const Asked& asked) {
    if (const auto place = expires_.find({provider, asked.credential});
        place != expires_.end() && place->second <= Clock::now()) {
      return Behaviour::fail(FailoverReason::auth, 20ms);
    }
    switch (mood(provider)) {
      case Mood::well: return Behaviour::answer(between(1ms, 2s), between(0s, 50ms));
      case Mood::slow:
        return Behaviour::answer(between(5s, 4min), between(0s, 1s)).with_heartbeats(15s);
      case Mood::heartbeats: return Behaviour::stall(between(5s, 30s));
      case Mood::silent: return Behaviour::stall();
      case Mood::refusing: return Behaviour::fail(FailoverReason::connection, between(0s, 10ms));
      case Mood::resetting:
        return Behaviour::fail(Failure(asio::error::connection_reset), between(0s, 20s));
      case Mood::overloaded: return Behaviour::fail(FailoverReason::overloaded, 30ms);
      case Mood::failing: return Behaviour::fail(FailoverReason::server_error, between(1ms, 1s));
      case Mood::limited: {
        Failure failure(FailoverReason::rate_limit);
        if (chance(60)) {
          failure.with_retry_after(
              between(100ms, chance(50) ? Clock::duration(3s) : Clock::duration(1h)));
        }
        return Behaviour::fail(failure, 20ms);
      }
      case Mood::broke: return Behaviour::fail(FailoverReason::billing, 20ms);
      case Mood::malformed:
        return Behaviour::fail(FailoverReason::malformed_response, between(10ms, 5s));
      case Mood::overflowing: return Behaviour::fail(FailoverReason::context_overflow, 100ms);
      case Mood::picky:
        return asked.mended != ReasonSet()
                   ? Behaviour::answer(100ms)
                   : Behaviour::fail(Failure(FailoverReason::thinking_signature).with_mend(), 50ms);
    }
    return Behaviour::stall();
  }

  // --- running ---------------------------------------------------------------------------------

  asio::awaitable<void> whole() {
    co_await with_scope([&](Scope& root) -> asio::awaitable<void> {
      for (const auto& pool : pools_) {
        pool->attach(root);
      }
      for (const auto& caller : callers_) {
        asio::co_spawn(
            context_, call(*caller),
            asio::bind_cancellation_slot(
                caller->signal.slot(), [this, &caller = *caller](const std::exception_ptr& error) {
                  caller_done(caller, error);
                }));
        if (caller->leaves_after) {
          root.spawn([this, &caller = *caller] { return leave(caller); });
        }
      }
      while (open_ > 0) {
        co_await done_.wait(done_.version(), Clock::time_point::max());
      }
    });
  }

  asio::awaitable<void> leave(Caller& caller) {
    co_await sleep_for(caller.starts + *caller.leaves_after);
    if (!caller.done) {
      caller.left = Clock::now();
      caller.signal.emit(asio::cancellation_type::all);
    }
  }

  asio::awaitable<void> call(Caller& caller) {
    ++open_;
    co_await sleep_for(caller.starts);
    const auto began = Clock::now();
    std::set<std::string> visited;
    auto ask = [&](Attempt& attempt) {
      const auto provider = static_cast<std::size_t>(attempt.member().provider()[1] - '0');
      seen_.push_back({caller.index, provider, providers_[provider]->asked().size()});
      if (caller.left) {
        complain("a caller that had left asked on");
      }
      if (visited.insert(attempt.member().key()).second) {
        ++visits_[attempt.member().provider()];
      }
      return providers_[provider]->ask(attempt);
    };
    const auto outcome = co_await failover(chain_, policy_, state_, std::move(ask),
                                           CallOptions()
                                               .with_prompt(caller.prompt)
                                               .with_scaled_stale(llm::scaled_stale(caller.prompt))
                                               .with_observer(caller));
    check(caller, outcome, Clock::now() - began);
  }

  void caller_done(Caller& caller, const std::exception_ptr& error) {
    caller.done = true;
    --open_;
    done_.notify();
    trace(caller.index);
    trace(static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()));
    if (!error) {
      return;
    }
    if (detail::is_abort(error) && caller.left) {
      ++result_.cancelled;
    } else {
      complain("call " + std::to_string(caller.index) + " threw");
    }
  }

  // --- checking --------------------------------------------------------------------------------

  static std::string probe_key(const AttemptReport& attempt) {
    return attempt.member.key() + ' ' + (attempt.credential ? *attempt.credential : "");
  }

  void note(const AttemptReport& attempt, const std::string& what) {
    if (log_ == nullptr) {
      return;
    }
    const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
    *log_ << seconds(time_.elapsed()) << " s: " << probe_key(attempt) << ' '
          << to_string(attempt.kind) << ' ' << what << '\n';
    for (const auto& mark : state_.health().marks(Clock::now())) {
      *log_ << "    " << mark.key << ": " << to_string(mark.reason) << ", rests "
            << seconds(mark.cooldown) << " s" << (mark.probing ? ", is probed" : "") << '\n';
    }
  }

  void began(const AttemptReport& attempt) {
    ++result_.attempts;
    note(attempt, "begins");
    if (attempt.kind == AttemptKind::probe) {
      ++result_.probes;
      if (++probing_[probe_key(attempt)] > 1) {
        complain("two probes of " + attempt.member.name() + " at a time");
      }
    }
  }

  void progressed(const AttemptReport& attempt) {
    if (attempt.kind == AttemptKind::probe) {
      --probing_[probe_key(attempt)];  // first progress is the verdict
    }
  }

  void ended(const AttemptReport& attempt) {
    note(attempt, attempt.answered() ? "answers" : to_string(attempt.failure));
    if (attempt.kind == AttemptKind::probe && !attempt.first_progress) {
      --probing_[probe_key(attempt)];
    }
    if (attempt.decision) {
      const bool rotated =
          attempt.decision->action == Action::rotate || attempt.decision->action == Action::refresh;
      rotations_[attempt.member.provider()] += rotated ? 1 : 0;
    }
  }

  std::size_t most_attempts() const {
    std::size_t most = 0;
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      const auto keys = std::max<std::size_t>(i < keys_.size() ? keys_[i] : keys_[0], 1);
      most +=
          (1 + std::max(policy_.max_retries, 1U) + 1 + 1) + 2 * keys;  // waits, mends, refreshes
    }
    return most;
  }

  void check(Caller& caller, const Outcome<std::string>& outcome, Clock::duration took) {
    const auto& report = outcome.report;
    const std::string name = "call " + std::to_string(caller.index);
    outcome.result ? ++result_.answered : ++result_.failed;
    if (caller.reports != 1) {
      complain(name + " was reported " + std::to_string(caller.reports) + " times");
    }
    if (report.attempts.size() > most_attempts()) {
      complain(name + " made " + std::to_string(report.attempts.size()) + " attempts");
    }
    const auto longest = policy_.deadline ? *policy_.deadline : 601s * most_attempts();
    if (took > longest) {
      complain(name + " took " + std::to_string(took / 1s) + " s");
    }
    check_result(name, outcome);
    check_against_providers(name, caller, report);
    if (policy_.eager_on_timeout && !policy_.recover.contains(FailoverReason::timeout)) {
      check_stalls(name, report);
    }
  }

  void check_result(const std::string& name, const Outcome<std::string>& outcome) {
    const auto& attempts = outcome.report.attempts;
    const auto* const answer = outcome.report.answer();
    if (outcome.result) {
      if (answer == nullptr || *outcome.result != "answer of " + answer->member.provider()) {
        complain(name + " got an answer that nobody gave");
      }
      return;
    }
    const auto failed = std::count_if(attempts.begin(), attempts.end(), [](const AttemptReport& a) {
      return a.decision.has_value();
    });
    if (static_cast<std::size_t>(failed) != outcome.result.error().attempts().size()) {
      complain(name + " failed, and its failure does not hold all that failed");
    }
    if (!outcome.result.error().code() || answer != nullptr) {
      complain(name + " failed without a reason");
    }
  }

  void check_against_providers(const std::string& name, const Caller& caller,
                               const CallReport& report) {
    std::size_t i = 0;
    for (const auto& seen : seen_) {
      if (seen.call != caller.index) {
        continue;
      }
      if (i >= report.attempts.size()) {
        complain(name + ": a provider was asked, and the report does not say so");
        return;
      }
      const auto& attempt = report.attempts[i++];
      const auto& asked = providers_[seen.provider]->asked()[seen.index];
      const auto end = attempt.answered() ? Asked::End::answered
                       : attempt.decision && attempt.failure.evidence().clock == LimitClock::none
                           ? Asked::End::failed
                           : Asked::End::cancelled;
      const bool same_key = attempt.credential
                                ? asked.credential.starts_with(*attempt.credential + '#')
                                : asked.credential.empty();
      if (attempt.member.provider() != providers_[seen.provider]->name() || asked.end != end ||
          !same_key) {
        complain(name + ": attempt " + std::to_string(i) + " is not what its provider saw");
      }
      trace(static_cast<std::uint64_t>(attempt.took.count()));
      trace(seen.provider);
    }
    if (i != report.attempts.size()) {
      complain(name + ": the report has attempts that no provider saw");
    }
  }

  void check_stalls(const std::string& name, const CallReport& report) {
    std::map<std::string, int> stalls;
    for (const auto& attempt : report.attempts) {
      if (attempt.failure.code() == FailoverReason::timeout && attempt.decision &&
          ++stalls[attempt.member.key()] > 1) {
        complain(name + " paid a stall of " + attempt.member.name() + " twice");
      }
    }
  }

  void check_end() {
    if (open_ != 0) {
      complain(std::to_string(open_) + " calls never ended");
    }
    for (std::size_t i = 0; i < providers_.size(); ++i) {
      const auto& provider = *providers_[i];
      if (provider.alive() != 0) {
        complain(provider.name() + " is still being asked");
      }
      check_budget(provider);
    }
    for (const auto& mark : state_.health().marks(time_now())) {
      if (mark.probing) {
        complain("a lease is left on " + mark.key);
      }
    }
  }

  Clock::time_point time_now() const { return Clock::time_point(time_.elapsed()); }

  /// Every attempt after the first of a visit is a retry, and draws on the budget, or has another
  /// credential.
  void check_budget(const ScriptedProvider& provider) {
    const auto visits = visits_[provider.name()];
    const auto rotations = rotations_[provider.name()];
    const BudgetSettings budget;
    const double most = (1 + budget.ratio) * static_cast<double>(visits) + budget.floor +
                        static_cast<double>(rotations);
    if (static_cast<double>(provider.asked().size()) > most) {
      complain(provider.name() + " was asked " + std::to_string(provider.asked().size()) +
               " times in " + std::to_string(visits) + " visits");
    }
  }

  VirtualTime time_;
  asio::io_context context_;
  Dice dice_;
  State state_;
  Policy policy_;
  Chain chain_;
  std::vector<std::unique_ptr<ScriptedProvider>> providers_;
  std::vector<std::vector<Phase>> phases_;
  std::vector<std::size_t> keys_;
  std::vector<std::shared_ptr<CredentialPool>> pools_;
  std::map<std::pair<std::size_t, std::string>, Clock::time_point> expires_;
  std::map<std::pair<std::size_t, std::string>, bool> spent_tokens_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::vector<Seen> seen_;
  std::map<std::string, int> probing_;
  std::map<std::string, std::size_t> rotations_;
  std::map<std::string, std::size_t> visits_;
  Notice done_;
  std::size_t open_ = 0;
  unsigned tokens_ = 0;
  std::ostream* log_;
  Schedule result_;
};

}  // namespace

Schedule simulate_one(std::uint64_t seed, std::ostream* log) { return Simulation(seed, log).run(); }

SimulationResult simulate(std::uint64_t first, std::uint64_t count, unsigned threads) {
  return run_seeds(first, count, threads, simulate_one);
}

}  // namespace understudy::testing
