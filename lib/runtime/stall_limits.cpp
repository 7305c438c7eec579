#include "understudy/runtime/stall_limits.hpp"

#include <algorithm>

namespace understudy {
namespace {

using namespace std::chrono_literals;

Limit explicit_or(const std::optional<Clock::duration>& setting, Clock::duration standard,
                  error_code code) {
  return setting ? Limit(*setting, code, LimitOrigin::user)
                 : Limit(standard, code, LimitOrigin::standard);
}

Limit stale_limit(const StallSettings& settings, const StallFacts& facts, error_code code) {
  if (settings.stale) {
    return {*settings.stale, code, LimitOrigin::user};
  }
  Limit limit(180s, code, LimitOrigin::standard);
  const auto raise = [&](Clock::duration least, LimitOrigin origin) {
    if (least > limit.after) {
      limit.after = least;
      limit.origin = origin;
    }
  };
  raise(facts.scaled, LimitOrigin::scaled);
  raise(facts.floor, LimitOrigin::floor);
  return limit;
}

}  // namespace

StallSettings StallSettings::or_else(const StallSettings& base) const {
  StallSettings merged = base;
  for (const auto key :
       {&StallSettings::connect, &StallSettings::write, &StallSettings::first_progress,
        &StallSettings::stale, &StallSettings::silence, &StallSettings::whole_answer,
        &StallSettings::finish, &StallSettings::last_member}) {
    if (this->*key) {
      merged.*key = this->*key;
    }
  }
  return merged;
}

StallLimits stall_limits(const StallSettings& settings, const StallFacts& facts,
                         const StallCodes& codes) {
  StallLimits limits;
  limits.connect = explicit_or(settings.connect, 10s, codes.connection);
  limits.write = explicit_or(settings.write, 30s, codes.connection);
  limits.stale = stale_limit(settings, facts, codes.timeout);
  limits.first_progress = settings.first_progress
                              ? Limit(*settings.first_progress, codes.timeout, LimitOrigin::user)
                              : limits.stale;
  limits.whole_answer = explicit_or(settings.whole_answer, 600s, codes.timeout);
  limits.attempt = settings.first_progress ? limits.first_progress : limits.whole_answer;
  limits.error_body = Limit(5s, codes.connection, LimitOrigin::standard);
  limits.finish = explicit_or(settings.finish, 5s, codes.connection);
  limits.silence = settings.silence ? Limit(*settings.silence, codes.connection, LimitOrigin::user)
                                    : Limit(0s, codes.connection, LimitOrigin::learned);
  limits.last_member = explicit_or(settings.last_member, 600s, codes.timeout);
  return limits;
}

std::optional<Clock::duration> share_of_deadline(Clock::duration remaining,
                                                 std::size_t eligible_left,
                                                 Clock::duration min_attempt) {
  const auto members = static_cast<Clock::rep>(std::max<std::size_t>(eligible_left, 1));
  const auto share = remaining / members;
  if (share < min_attempt || share <= 0s) {
    return std::nullopt;
  }
  return share;
}

}  // namespace understudy
