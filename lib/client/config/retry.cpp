#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using RetryKey = Key<RetryDraft>;

constexpr std::int64_t most_floor = 1'000'000;

template <class Member>
auto budget(Member member) {
  return [=](RetryDraft& draft) -> auto& { return draft.budget.*member; };
}

template <class Member>
auto waits(Member member) {
  return [=](RetryDraft& draft) -> auto& { return draft.backoff.*member; };
}

}  // namespace

const KeyTable<RetryDraft>& retry_keys() {
  static const KeyTable<RetryDraft> keys(
      SectionRow("retry", "How many requests are sent again, and when.").with_header("[retry]"),
      {
          RetryKey(
              "budget_ratio", Share(), budget(&BudgetSettings::ratio),
              "Retries are at most this share of the calls to a provider, plus `budget_floor`."),
          RetryKey("budget_floor", Whole(0, most_floor), budget(&BudgetSettings::floor),
                   "Retries that are allowed beyond the share."),
          RetryKey("backoff_base", Duration(), waits(&BackoffSettings::base),
                   "The longest wait before the first retry; it is doubled for each further one."),
          RetryKey("backoff_cap", Duration(), waits(&BackoffSettings::cap),
                   "No wait before a retry is longer."),
      });
  return keys;
}

RetryWritten read_retry(const Section& section, RetryDraft& draft) {
  retry_keys().read(section, draft);
  const RetryWritten written{section.has("backoff_base") || section.has("backoff_cap"),
                             section.has("budget_ratio") || section.has("budget_floor")};
  const auto base = draft.backoff.base;
  const auto cap = draft.backoff.cap;
  if (written.backoff && base > cap) {
    section.wrong(section.has("backoff_base") ? "backoff_base" : "backoff_cap",
                  "`backoff_base`, " + duration_text(base) + ", is longer than `backoff_cap`, " +
                      duration_text(cap),
                  "write a shorter `backoff_base` or a longer `backoff_cap`");
  }
  section.finish();
  return written;
}

}  // namespace understudy::config
