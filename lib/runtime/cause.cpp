#include "understudy/runtime/cause.hpp"

#include <array>
#include <boost/system/error_category.hpp>
#include <cstdio>

namespace understudy {
namespace {

class StopCategory final : public boost::system::error_category {
 public:
  // The id makes copies of the category in two shared libraries equal.
  constexpr StopCategory() noexcept : error_category(0x5d1f6b2a9c3e4701ULL) {}

  const char* name() const noexcept override { return "understudy.stop"; }

  std::string message(int value) const override {
    switch (static_cast<StopReason>(value)) {
      case StopReason::cancelled: return "cancelled";
      case StopReason::deadline: return "deadline reached";
      case StopReason::lost: return "another one settled the race first";
      case StopReason::sibling_failed: return "another child of the scope failed";
      case StopReason::shutdown: return "shutting down";
    }
    return "unknown stop reason";
  }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    namespace errc = boost::system::errc;
    return make_error_condition(static_cast<StopReason>(value) == StopReason::deadline
                                    ? errc::timed_out
                                    : errc::operation_canceled);
  }
};

std::string seconds(Clock::duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g s",
                std::chrono::duration<double>(duration).count());
  return text.data();
}

/// What did not happen for so long.
std::string finding(const Evidence& evidence) {
  switch (evidence.clock) {
    case LimitClock::progress: return seconds(evidence.since_last_progress) + " without progress";
    case LimitClock::transport: return seconds(evidence.since_last_byte) + " without a byte";
    case LimitClock::phase: return "not done in time";
    case LimitClock::wall: return "time is up";
    case LimitClock::attempt: return "no answer in " + seconds(evidence.since_last_progress);
    case LimitClock::none: break;
  }
  return {};
}

}  // namespace

const boost::system::error_category& stop_category() noexcept {
  static const StopCategory category;
  return category;
}

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::none: return "none";
    case Phase::pool_wait: return "pool_wait";
    case Phase::connect: return "connect";
    case Phase::write: return "write";
    case Phase::first_progress: return "first_progress";
    case Phase::progress: return "progress";
    case Phase::whole_answer: return "whole_answer";
    case Phase::error_body: return "error_body";
    case Phase::finish: return "finish";
  }
  return "unknown";
}

std::string_view to_string(LimitClock clock) noexcept {
  switch (clock) {
    case LimitClock::none: return "none";
    case LimitClock::phase: return "phase";
    case LimitClock::progress: return "progress";
    case LimitClock::transport: return "transport";
    case LimitClock::wall: return "wall";
    case LimitClock::attempt: return "attempt";
  }
  return "unknown";
}

std::string_view to_string(LimitOrigin origin) noexcept {
  switch (origin) {
    case LimitOrigin::none: return "none";
    case LimitOrigin::user: return "user";
    case LimitOrigin::scaled: return "scaled";
    case LimitOrigin::floor: return "floor";
    case LimitOrigin::standard: return "default";
    case LimitOrigin::learned: return "learned";
    case LimitOrigin::share_of_deadline: return "share_of_deadline";
  }
  return "unknown";
}

std::string to_string(const Cause& cause) {
  const Evidence& evidence = cause.evidence;
  std::string text = cause.code ? cause.code.message() : "no cause";
  if (evidence.clock == LimitClock::none) {
    return text;
  }
  text += ": " + finding(evidence);
  text += " (limit " + seconds(evidence.limit);
  text += ", ";
  text += to_string(evidence.origin);
  if (evidence.clock != LimitClock::attempt) {  // else nothing was noted
    text += "; phase ";
    text += to_string(evidence.phase);
    if (evidence.clock != LimitClock::transport && evidence.bytes > 0) {
      text += "; last byte " + seconds(evidence.since_last_byte) + " ago";
    }
    text += "; " + std::to_string(evidence.bytes) + " bytes, ";
    text += std::to_string(evidence.heartbeats) + " heartbeats";
  }
  if (evidence.lateness > std::chrono::milliseconds(1)) {
    text += "; noticed " + seconds(evidence.lateness) + " late";
  }
  return text + ")";
}

}  // namespace understudy
