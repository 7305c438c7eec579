#include <algorithm>
#include <array>
#include <cstdlib>

#include "config_sections.hpp"
#include "config_suggestions.hpp"
#include "config_units.hpp"

namespace understudy::detail {
namespace {

constexpr std::int64_t most_retries = 20;
constexpr std::int64_t most_floor = 1'000'000;

void read_duration(Section& section, std::string_view key, Clock::duration& into) {
  into = section.duration(key).value_or(into);
}

void read_duration(Section& section, std::string_view key, std::optional<Clock::duration>& into) {
  if (const auto duration = section.duration(key)) {
    into = duration;
  }
}

void read_commit(Section& section, Commit& commit) {
  if (section.says("commit", "first_progress")) {
    commit = Commit::at_first_progress();
  } else if (section.says("commit", "whole")) {
    commit = Commit::whole();
  } else if (section.has("commit")) {
    const auto text = section.text("commit");
    const auto held = text ? parse_duration(*text) : std::nullopt;
    if (held) {
      commit = Commit::after(*held);
    } else if (text) {
      constexpr std::array<std::string_view, 2> words{"first_progress", "whole"};
      const auto meant = nearest(*text, words);
      section.wrong("commit", "`commit` is neither \"first_progress\", \"whole\" nor a duration",
                    meant.empty() ? "write commit = \"750ms\""
                                  : "did you mean \"" + std::string(meant) + "\"?");
    }
  }
}

void read_on_partial(Section& section, DeliverySettings& delivery) {
  constexpr std::array<std::string_view, 3> words{"fail", "restart", "resume"};
  constexpr std::array meant{OnPartial::fail, OnPartial::restart, OnPartial::resume};
  if (const auto word = section.choice("on_partial", words)) {
    delivery.on_partial = meant[*word];
  }
}

void check_times(const Section& section, const Policy& policy) {
  if (!policy.deadline) {
    return;
  }
  const auto deadline = to_text(*policy.deadline);
  const auto shorter = [&](std::string_view key, Clock::duration span) {
    if (section.has(key) && span >= *policy.deadline) {
      section.wrong(key,
                    "`" + std::string(key) + "` is not shorter than the deadline of " + deadline,
                    "write a shorter one, or a longer `deadline`");
    }
  };
  shorter("min_attempt", policy.min_attempt);
  shorter("patience", policy.patience);
  shorter("probe_grace", policy.probe_grace);
  shorter("hedge_after", policy.hedge_after.value_or(Clock::duration::zero()));
}

struct StallKey {
  std::string_view name;
  std::optional<Clock::duration> StallSettings::* setting;
  bool automatic;
};
constexpr std::array stall_keys{
    StallKey{"connect", &StallSettings::connect, false},
    StallKey{"write", &StallSettings::write, false},
    StallKey{"first_progress", &StallSettings::first_progress, true},
    StallKey{"stale", &StallSettings::stale, true},
    StallKey{"silence", &StallSettings::silence, true},
    StallKey{"whole_answer", &StallSettings::whole_answer, false},
    StallKey{"last_member", &StallSettings::last_member, false},
};

}  // namespace

void read_fallback(Section& section, Policy& policy, DeliverySettings& delivery) {
  policy.eager_on_timeout = section.flag("eager_on_timeout").value_or(policy.eager_on_timeout);
  constexpr std::array<std::string_view, 2> content{"stop", "fail_over"};
  if (const auto word = section.choice("on_content_policy", content)) {
    policy.on_content_policy = *word == 0 ? OnContentPolicy::stop : OnContentPolicy::fail_over;
  }
  read_on_partial(section, delivery);
  read_commit(section, delivery.commit);
  if (const auto n = section.whole("max_resumes", 0, most_retries)) {
    delivery.max_resumes = static_cast<unsigned>(*n);
  }
  if (const auto n = section.whole("max_retries", 0, most_retries)) {
    policy.max_retries = static_cast<unsigned>(*n);
  }
  read_duration(section, "patience", policy.patience);
  read_duration(section, "deadline", policy.deadline);
  read_duration(section, "min_attempt", policy.min_attempt);
  read_duration(section, "hedge_after", policy.hedge_after);
  read_duration(section, "probe_grace", policy.probe_grace);
  check_times(section, policy);
}

void read_stall(Section section, StallSettings& settings, const StallSettings* beneath) {
  for (const auto& key : stall_keys) {
    auto& setting = settings.*key.setting;
    const std::string name(key.name);
    if (!section.says(key.name, "auto")) {
      read_duration(section, key.name, setting);
    } else if (!key.automatic) {
      section.wrong(key.name, "`" + name + "` cannot be \"auto\"");
    } else if (beneath != nullptr && beneath->*key.setting) {
      section.wrong(key.name, "\"auto\" does not undo the `" + name + "` that stands further up",
                    "write a duration, or take `" + name + "` out there");
    } else {
      setting.reset();
    }
  }
  section.finish();
}

RetryKeys read_retry(Section section, BackoffSettings& backoff, BudgetSettings& budget) {
  budget.ratio = section.share("budget_ratio").value_or(budget.ratio);
  if (const auto n = section.whole("budget_floor", 0, most_floor)) {
    budget.floor = static_cast<unsigned>(*n);
  }
  read_duration(section, "backoff_base", backoff.base);
  read_duration(section, "backoff_cap", backoff.cap);
  const RetryKeys keys{section.has("backoff_base") || section.has("backoff_cap"),
                       section.has("budget_ratio") || section.has("budget_floor")};
  if (keys.backoff && backoff.base > backoff.cap) {
    section.wrong(section.has("backoff_base") ? "backoff_base" : "backoff_cap",
                  "`backoff_base`, " + to_text(backoff.base) + ", is longer than `backoff_cap`, " +
                      to_text(backoff.cap),
                  "write a shorter `backoff_base` or a longer `backoff_cap`");
  }
  section.finish();
  return keys;
}

void read_credentials(Section section, ReasonSet& recover, Strategy& strategy) {
  constexpr std::array<std::string_view, 4> words{"fill_first", "round_robin", "least_used",
                                                  "random"};
  constexpr std::array strategies{Strategy::fill_first, Strategy::round_robin, Strategy::least_used,
                                  Strategy::random};
  if (const auto word = section.choice("strategy", words)) {
    strategy = strategies[*word];
  }
  if (const auto* const reasons = section.list("recover")) {
    recover = {};
    std::vector<std::string_view> names;
    for (const auto& row : all_reasons()) {
      names.push_back(row.name);
    }
    for (const auto& node : *reasons) {
      const auto name =
          text_of(section.findings(), node, "recover", "write reasons, such as \"timeout\"");
      const auto reason = name ? reason_from(*name) : std::nullopt;
      if (reason) {
        recover.insert(*reason);
      } else if (name) {
        const auto meant = nearest(*name, names);
        section.findings().add(node.place, "unknown reason \"" + shown(*name) + "\"",
                               meant.empty() ? "write " + list_of(names, "\"")
                                             : "did you mean \"" + std::string(meant) + "\"?");
      }
    }
  }
  section.finish();
}

void read_environment(Findings& findings, const Environment& environment, StallSettings& settings) {
  for (const auto* name : {"UNDERSTUDY_STREAM_STALE_TIMEOUT", "HERMES_STREAM_STALE_TIMEOUT"}) {
    const char* const text = environment ? environment(name) : std::getenv(name);
    if (text == nullptr || *text == '\0') {
      continue;
    }
    const auto stale = parse_seconds(text);
    if (stale) {
      settings.stale = stale;
    } else {
      findings.add({}, std::string("the environment's ") + name + " is no duration",
                   "set it to seconds, such as 180, or to a number with a unit, such as 90s");
    }
    return;
  }
}

}  // namespace understudy::detail
