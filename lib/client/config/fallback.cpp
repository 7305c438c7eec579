#include <algorithm>
#include <array>

#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using FallbackKey = Key<RouteConfig>;

constexpr std::int64_t most_retries = 20;

template <class Member>
auto policy(Member member) {
  return [=](RouteConfig& route) -> auto& { return route.policy.*member; };
}

template <class Member>
auto delivery(Member member) {
  return [=](RouteConfig& route) -> auto& { return route.delivery.*member; };
}

/// "first_progress", "whole" or a duration.
class CommitPoint {
 public:
  std::string type() const { return R"(`"first_progress"`, `"whole"` or a duration)"; }
  std::string bounds() const { return {}; }

  std::optional<Commit> read(const Section& section, std::string_view key) const {
    if (section.says(key, words.front())) {
      return Commit::at_first_progress();
    }
    if (section.says(key, words.back())) {
      return Commit::whole();
    }
    const auto written = section.text(key);
    const auto held = written ? parse_duration(*written) : std::nullopt;
    if (held) {
      return Commit::after(*held);
    }
    if (written) {
      const auto meant = nearest(*written, words);
      section.wrong(key, ticked(key) + R"( is neither "first_progress", "whole" nor a duration)",
                    meant.empty() ? "write " + std::string(key) + R"( = "750ms")"
                                  : "did you mean " + in_quotes(meant) + "?");
    }
    return std::nullopt;
  }

  std::string text(const Commit& commit) const {
    switch (commit.when()) {
      case Commit::When::first_progress: return in_quotes(words.front());
      case Commit::When::after: return in_quotes(duration_text(commit.held()));
      case Commit::When::whole: return in_quotes(words.back());
    }
    return {};
  }

 private:
  static constexpr std::array<std::string_view, 2> words{"first_progress", "whole"};
};

void check_times(const Section& section, const Policy& policy) {
  if (!policy.deadline) {
    return;
  }
  const auto deadline = duration_text(*policy.deadline);
  const auto shorter = [&](std::string_view key, Clock::duration span) {
    if (section.has(key) && span >= *policy.deadline) {
      section.wrong(key, ticked(key) + " is not shorter than the deadline of " + deadline,
                    "write a shorter one, or a longer `deadline`");
    }
  };
  shorter("min_attempt", policy.min_attempt);
  shorter("patience", policy.patience);
  shorter("probe_grace", policy.probe_grace);
  shorter("hedge_after", policy.hedge_after.value_or(Clock::duration::zero()));
}

}  // namespace

const KeyTable<RouteConfig>& fallback_keys() {
  static const KeyTable<RouteConfig> keys(
      SectionRow("fallback", "When the next member takes over, and what the client sees of it.")
          .with_header("[fallback]"),
      {
          FallbackKey("eager_on_timeout", Flag(), policy(&Policy::eager_on_timeout),
                      "Whether a stalled provider is left at once. If false, it is retried first."),
          FallbackKey(
              "on_content_policy",
              Choice<OnContentPolicy>(
                  {{"stop", OnContentPolicy::stop}, {"fail_over", OnContentPolicy::fail_over}}),
              policy(&Policy::on_content_policy),
              "What happens when a provider refuses the content of a request: `\"stop\"` returns "
              "the refusal, `\"fail_over\"` asks the next member."),
          FallbackKey(
              "on_loss", Choice<OnLoss>({{"report", OnLoss::report}, {"skip", OnLoss::skip}}),
              policy(&Policy::on_loss),
              "What happens when a member does not support all that a request contains: "
              "`\"report\"` asks it, and says what it did not get; `\"skip\"` passes it over if it "
              "would lose tools or messages, as long as another member is left."),
          FallbackKey(
              "on_partial",
              Choice<OnPartial>({{"fail", OnPartial::fail},
                                 {"restart", OnPartial::restart},
                                 {"resume", OnPartial::resume}}),
              delivery(&DeliverySettings::on_partial),
              "What happens when an answer breaks after the client has received a part of it: "
              "`\"fail\"` reports the failure, `\"resume\"` has the next member continue the "
              "answer, `\"restart\"` retracts the part and begins again, for clients that can "
              "retract.")
              .default_value(in_quotes(to_string(OnPartial::fail)))
              .default_note("`\"fail\"` in the library, `\"resume\"` in `understudy serve`"),
          FallbackKey(
              "commit", CommitPoint(), delivery(&DeliverySettings::commit),
              "How long an answer is held back, so that the client does not notice a failover "
              "before that: `\"first_progress\"` (not at all), a duration (`\"750ms\"`), or "
              "`\"whole\"` (until it is complete)."),
          FallbackKey(
              "max_resumes", Whole(0, most_retries), delivery(&DeliverySettings::max_resumes),
              "How often an answer that breaks after the client has received a part of it is "
              "rescued. Attempts that do not succeed are not counted."),
          FallbackKey(
              "tool_calls",
              Choice<ToolCallDelivery>(
                  {{"held", ToolCallDelivery::held}, {"live", ToolCallDelivery::live}}),
              delivery(&DeliverySettings::tool_calls),
              "When the client gets a tool call, if broken answers are resumed: `\"held\"` when "
              "it is complete, so that one that is cut can be requested again; `\"live\"` as it "
              "comes, at the price that an answer that is cut in a call fails."),
          FallbackKey(
              "return",
              Choice<ReturnWhen>({{"when_cold", ReturnWhen::cold},
                                  {"at_once", ReturnWhen::at_once},
                                  {"next_session", ReturnWhen::next_session}}),
              delivery(&DeliverySettings::return_when),
              "When a conversation that a fallback serves returns to an earlier member: "
              "`\"when_cold\"` when the fallback has been idle for 5 minutes, or at once if the "
              "first member has answered within them, so that no provider reads the whole "
              "conversation anew; `\"at_once\"` as soon as it is healthy; `\"next_session\"` never "
              "within the conversation."),
          FallbackKey("max_retries", Whole(0, most_retries), policy(&Policy::max_retries),
                      "How often the same member is asked again where that may help."),
          FallbackKey(
              "patience", Duration(), policy(&Policy::patience),
              "The longest time that a call waits for a provider that asks for a pause, or for "
              "the result of a probe."),
          FallbackKey("wait_out", DurationOrOff(), policy(&Policy::wait_out),
                      "How long a call waits when every member has failed for a cause that may "
                      "pass, before the client gets the failure. The member that returns first is "
                      "asked again, at growing intervals.")
              .default_note("none in the library, `\"30s\"` in `understudy serve`")
              .example(R"("30s")"),
          FallbackKey("deadline", Duration(), policy(&Policy::deadline),
                      "The longest time for the whole call, whichever members are asked.")
              .default_note("none")
              .example(R"("10m")")
              .alias("timeout"),
          FallbackKey(
              "min_attempt", Duration(), policy(&Policy::min_attempt),
              "An attempt is started only if this much of the deadline is left, or a quarter of "
              "the deadline if that is less. The first attempt of a call is started if any time "
              "is left."),
          FallbackKey(
              "hedge_after", Duration(), policy(&Policy::hedge_after),
              "When the first member has delivered nothing for this long, the next one is asked "
              "too, and the first success wins.")
              .default_note("none, so never")
              .example(R"("20s")"),
          FallbackKey(
              "probe_grace", Duration(), policy(&Policy::probe_grace),
              "The most time that a call may lose by trying a provider that failed before."),
      });
  return keys;
}

void read_fallback(const Section& section, RouteConfig& route) {
  fallback_keys().read(section, route);
  check_times(section, route.policy);
}

}  // namespace understudy::config
