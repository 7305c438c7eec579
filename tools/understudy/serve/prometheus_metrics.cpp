#include "prometheus_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace understudy::tool {
namespace {

using Labels = prometheus::Labels;

double seconds(Clock::duration took) { return std::chrono::duration<double>(took).count(); }

/// A few milliseconds to the minutes of a reasoning model's first token.
const prometheus::Histogram::BucketBoundaries& waits() {
  static const prometheus::Histogram::BucketBoundaries bounds{
      0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
  return bounds;
}

/// A millisecond to a second: how late an expiry was noticed.
const prometheus::Histogram::BucketBoundaries& latenesses() {
  static const prometheus::Histogram::BucketBoundaries bounds{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                              0.05,  0.1,    0.25,  0.5,  1};
  return bounds;
}

std::string outcome_of(const Failure& failure) {
  if (!failure.code()) {
    return "answered";
  }
  const auto reason = reason_of(failure.code());
  return reason ? std::string(to_string(*reason)) : failure.code().message();
}

/// A label for why a member was passed over.
std::string passed_over(Eligibility because) {
  switch (because) {
    case Eligibility::yes: return "other";
    case Eligibility::tried: return "tried";
    case Eligibility::cooling: return "cooldown";
    case Eligibility::window_too_small: return "window";
    case Eligibility::no_time: return "time";
    case Eligibility::low_quota: return "quota";
    case Eligibility::in_use: return "in_use";
  }
  return "other";
}

prometheus::MetricFamily gauge(std::string name, std::string help) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  return family;
}

void add(prometheus::MetricFamily& family,
         std::initializer_list<std::pair<const char*, std::string>> labels, double value) {
  auto& metric = family.metric.emplace_back();
  for (const auto& [name, text] : labels) {
    metric.label.push_back({name, text});
  }
  metric.gauge.value = value;
}

/// Without a label if its name is empty.
prometheus::MetricFamily gauge(std::string name, std::string help, const std::string& label,
                               const std::map<std::string, double>& values) {
  auto family = gauge(std::move(name), std::move(help));
  for (const auto& [named, value] : values) {
    auto& metric = family.metric.emplace_back();
    if (!label.empty()) {
      metric.label.push_back({label, named});
    }
    metric.gauge.value = value;
  }
  return family;
}

}  // namespace

struct PrometheusMetrics::Families {
  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  Counters& counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Histograms& histogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  prometheus::Registry registry;
  Counters& requests =
      counter("understudy_requests_total", "Calls by the HTTP status that the client got.");
  Histograms& durations = histogram("understudy_request_duration_seconds",
                                    "From a complete request to the end of its answer.");
  Counters& attempts = counter("understudy_attempts_total", "Attempts by outcome.");
  Counters& failovers =
      counter("understudy_failovers_total", "Failovers by the member that failed and the reason.");
  Counters& broken =
      counter("understudy_broken_answers_total", "Answers that broke after their first progress.");
  Counters& stalls =
      counter("understudy_stall_kills_total", "Attempts that a progress limit ended.");
  Histograms& lateness = histogram("understudy_stall_kill_lateness_seconds",
                                   "Delay between the expiry of a limit and its detection.");
  Histograms& first_progress = histogram("understudy_first_progress_seconds",
                                         "From the start of an attempt to its first token.");
  Histograms& gaps =
      histogram("understudy_progress_gap_seconds",
                "The longest wait between two parts of an answer that was streamed to its end.");
  Counters& passed_over = counter("understudy_passed_over_total",
                                  "Members that calls did not ask in their turn, by cause.");
  Counters& reloads =
      counter("understudy_config_reloads_total", "Reloads of the configuration by result.");
  Counters& undecodable =
      counter("understudy_undecodable_total", "Parts of answers that could not be decoded.");
  Counters& losses = counter("understudy_losses_total",
                             "Parts of requests that members did not get, or not as written.");
  Counters& inferred = counter("understudy_inferred_finishes_total",
                               "Complete answers whose provider did not report why they ended.");
  Counters& abandoned = counter("understudy_abandoned_tokens_total",
                                "Tokens spent at the least by attempts that did not answer.");
};

PrometheusMetrics::PrometheusMetrics() : families_(std::make_unique<Families>()) {}

PrometheusMetrics::~PrometheusMetrics() = default;

void PrometheusMetrics::attempt_ended(const AttemptReport& attempt) {
  const auto member = attempt.member.name();
  const auto outcome = outcome_of(attempt.failure);
  auto& to = *families_;
  to.attempts
      .Add({{"member", member},
            {"kind", std::string(to_string(attempt.kind))},
            {"outcome", outcome}})
      .Increment();
  if (attempt.first_progress) {
    to.first_progress.Add({{"member", member}}, waits()).Observe(seconds(*attempt.first_progress));
  }
  if (attempt.answered()) {
    return;
  }
  if (attempt.decision && attempt.decision->action == Action::fail_over) {
    to.failovers.Add({{"member", member}, {"reason", outcome}}).Increment();
  }
  if (const auto& evidence = attempt.failure.evidence(); evidence.clock != LimitClock::none) {
    to.stalls
        .Add({{"phase", std::string(to_string(evidence.phase))},
              {"clock", std::string(to_string(evidence.clock))}})
        .Increment();
    to.lateness.Add({}, latenesses()).Observe(seconds(evidence.lateness));
  }
  if (attempt.tokens_spent != 0) {
    to.abandoned.Add({{"member", member}}).Increment(static_cast<double>(attempt.tokens_spent));
  }
}

void PrometheusMetrics::answer_broke(const AttemptReport& attempt) {
  families_->broken
      .Add({{"member", attempt.member.name()}, {"reason", outcome_of(attempt.failure)}})
      .Increment();
}

void PrometheusMetrics::call_ended(const gateway::CallRecord& record) {
  const std::string protocol(to_string(record.protocol));
  families_->requests.Add({{"protocol", protocol}, {"status", std::to_string(record.status)}})
      .Increment();
  for (const auto& attempt : record.report.attempts) {
    const auto member = attempt.member.name();
    if (attempt.undecodable > 0) {
      families_->undecodable.Add({{"member", member}})
          .Increment(static_cast<double>(attempt.undecodable));
    }
    for (const auto& loss : attempt.losses) {
      families_->losses
          .Add({{"member", member},
                {"effect", std::string(loss.effect)},
                {"about", std::string(loss.about)}})
          .Increment();
    }
    if (attempt.inferred_finish) {
      families_->inferred.Add({{"member", member}}).Increment();
    }
  }
  for (const auto& passed : record.report.skipped) {
    families_->passed_over
        .Add({{"member", passed.member.name()}, {"because", passed_over(passed.because)}})
        .Increment();
  }
  families_->durations.Add({{"protocol", protocol}}, waits()).Observe(seconds(record.took));
  if (const auto* const answer = record.report.answer(); answer != nullptr && record.longest_gap) {
    families_->gaps.Add({{"member", answer->member.name()}}, waits())
        .Observe(seconds(*record.longest_gap));
  }
}

void PrometheusMetrics::config_reloaded(bool applied) {
  families_->reloads.Add({{"result", applied ? "applied" : "refused"}}).Increment();
}

gateway::Exposition PrometheusMetrics::expose(const gateway::Gauges& gauges) const {
  auto families = families_->registry.Collect();
  families.push_back(
      gauge("understudy_cooldowns", "Current cooldowns by reason.", "reason", gauges.cooldowns));
  families.push_back(gauge("understudy_retry_budget", "Retries left in the budget.", "provider",
                           gauges.retry_budgets));
  families.push_back(gauge("understudy_requests_in_flight", "Calls in flight.", "",
                           {{"", static_cast<double>(gauges.calls_in_flight)}}));
  auto quotas = gauge("understudy_quota_left",
                      "The share of a quota that is left, as the provider states it.");
  for (const auto& one : gauges.quotas) {
    add(quotas, {{"credential", one.credential}, {"model", one.model}, {"window", one.window}},
        one.left);
  }
  families.push_back(std::move(quotas));
  auto calls = gauge("understudy_credential_calls",
                     "Calls that use a limited credential, and that wait for it.");
  for (const auto& one : gauges.limited) {
    add(calls, {{"credential", one.credential}, {"state", "in_use"}},
        static_cast<double>(one.in_use));
    add(calls, {{"credential", one.credential}, {"state", "queued"}},
        static_cast<double>(one.queued));
  }
  families.push_back(std::move(calls));
  auto unread = gauge("understudy_bytes_after_cancel_total",
                      "Bytes that had arrived unread when their call was cancelled.", "", {});
  unread.type = prometheus::MetricType::Counter;
  unread.metric.emplace_back().counter.value = static_cast<double>(gauges.bytes_after_cancel);
  families.push_back(std::move(unread));
  if (const std::int64_t expiry = certificate_expiry_; expiry != never) {
    const std::chrono::sys_seconds when{std::chrono::seconds(expiry)};
    families.push_back(gauge("understudy_certificate_expiry_seconds",
                             "Until the gateway's certificate expires; below 0 once it has.", "",
                             {{"", seconds(when - std::chrono::system_clock::now())}}));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace understudy::tool
