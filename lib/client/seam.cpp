#include "understudy/client/seam.hpp"

#include <algorithm>
#include <utility>

#include "folding.hpp"

namespace understudy {
namespace {

// An overlap of fewer characters than the first that begins as it ends, with as many as the second, may as
// well be that shorter one, in an answer that repeats itself.
constexpr std::size_t weak_overlap = 16;
constexpr std::size_t telling_border = 4;

// After a prefill: who begins with as many characters of what was delivered and then departs does not go on.
constexpr std::size_t departs_prefilled = 16;

// Places in the delivered text that begin as the new text does.
constexpr std::size_t most_places = 4096;
constexpr std::size_t steps_a_byte = 32;

std::size_t line_breaks(std::string_view white) {
  return static_cast<std::size_t>(std::ranges::count(white, '\n'));
}

std::string_view after_last_break(std::string_view white) {
  return white.substr(white.rfind('\n') + 1);
}

/// What of the white space `now`, which the new text has at the seam, was not delivered as `before`.
std::string_view undelivered(std::string_view before, std::string_view now) {
  if (now.starts_with(before)) {
    return now.substr(before.size());
  }
  auto breaks = std::min(line_breaks(before), line_breaks(now));
  if (breaks == 0 && before.find('\n') != std::string_view::npos) {
    return {};
  }
  for (; breaks > 0; --breaks) {
    now.remove_prefix(now.find('\n') + 1);
  }
  before = after_last_break(before);
  if (now.starts_with(before)) {
    return now.substr(before.size());
  }
  const auto next_break = now.find('\n');
  return next_break == std::string_view::npos ? std::string_view{} : now.substr(next_break);
}

}  // namespace

std::string_view to_string(SeamVerdict verdict) noexcept {
  switch (verdict) {
    case SeamVerdict::undecided: return "undecided";
    case SeamVerdict::repeated_tail: return "repeated_tail";
    case SeamVerdict::restarted: return "restarted";
    case SeamVerdict::went_on: return "went_on";
    case SeamVerdict::no_overlap: return "no_overlap";
    case SeamVerdict::ambiguous: return "ambiguous";
    case SeamVerdict::too_long: return "too_long";
    case SeamVerdict::ended_early: return "ended_early";
  }
  return "undecided";
}

Seam::Seam(std::string_view delivered, ResumeManner manner)
    : manner_(manner),
      delivered_(detail::folded(delivered)),
      blank_(delivered.substr(detail::white_suffix(delivered))),
      seed_(from_start() ? 1 : std::min(seam_overlap, detail::code_points(delivered_))),
      bound_(2 * delivered.size() + seam_undecided_bound),
      affordable_(steps_a_byte * (delivered.size() + seam_overlap)) {}

std::string_view Seam::feed(std::string_view piece) {
  if (joined()) {
    held_ = {};
    return piece;
  }
  if (refused()) {
    return {};
  }
  held_ += piece;
  return advance(false);
}

std::string_view Seam::finish() { return undecided() ? advance(true) : std::string_view{}; }

std::string_view Seam::advance(bool ended) {
  while (undecided() && scan_ < held_.size()) {
    const auto step = detail::fold_step(std::string_view(held_).substr(scan_));
    if (step.cut && !ended) {
      break;
    }
    if (scan_ + step.length > bound_) {
      decide(SeamVerdict::too_long);
      break;
    }
    const bool after_white = scan_ > said_;
    scan_ += step.length;
    if (step.white) {
      continue;
    }
    if (after_white && characters_ > 0) {
      take(" ", said_, {});
    }
    said_ = scan_;
    for (auto text = step.text(); undecided() && !text.empty();) {
      const auto length = detail::fold_step(text).length;
      take(text.substr(0, length), scan_, text.substr(length));
      text.remove_prefix(length);
    }
  }
  if (ended && undecided()) {
    judge_end();
  }
  return joined() ? std::string_view(held_) : std::string_view{};
}

/// The new text's next folded character, which ends at `end`; its unfolded form goes on with `after`.
void Seam::take(std::string_view character, std::size_t end, std::string_view after) {
  ++characters_;
  if (characters_ < weak_overlap) {
    start_ += character;
  }
  if (characters_ <= seed_) {
    if (characters_ == seed_) {
      begin(end, after);
    }
  } else {
    for (std::size_t i = 0; i < character.size(); ++i) {
      steps_ += alive_.size();
      std::erase_if(alive_, [&](std::size_t position) {
        const auto at = position + matched_;
        const bool same = delivered_[at] == character[i];
        if (same && at + 1 == delivered_.size()) {
          overlap_.emplace(end, std::string(character.substr(i + 1)).append(after), position == 0);
        }
        return !same || at + 1 == delivered_.size();
      });
      ++matched_;
    }
  }
  if (undecided() && characters_ >= seed_) {
    judge();
  }
}

/// Looks for the places that say what the new text begins with.
void Seam::begin(std::size_t end, std::string_view after) {
  matched_ = start_.size();
  for (auto at = from_start() ? delivered_.rfind(start_, 0) : delivered_.find(start_);
       at != std::string::npos && (at == 0 || !from_start());
       at = delivered_.find(start_, at + 1)) {
    if (at + matched_ == delivered_.size()) {
      overlap_.emplace(end, std::string(after), at == 0);
    } else if (alive_.size() < most_places) {
      alive_.push_back(at);
    } else {
      return decide(SeamVerdict::ambiguous);
    }
  }
}

void Seam::judge() {
  if (delivered_.empty()) {
    return go_on();
  }
  if (steps_ > affordable_) {
    return decide(SeamVerdict::ambiguous);
  }
  if (overlap_) {
    return join(*overlap_);
  }
  if (!alive_.empty()) {
    longest_ = characters_;
    return;
  }
  if (!prefilled() || longest_ >= departs_prefilled) {
    return decide(SeamVerdict::no_overlap);
  }
  go_on();
}

void Seam::judge_end() {
  if (characters_ == 0) {
    return prefilled() ? go_on() : decide(SeamVerdict::ended_early);
  }
  if (!blank_.empty()) {
    take(" ", said_, {});  // the new text need not repeat white space after which it says nothing
    if (!undecided()) {
      return;
    }
  }
  if (!prefilled() || longest_ >= departs_prefilled) {
    return decide(SeamVerdict::ended_early);
  }
  go_on();
}

void Seam::join(const Overlap& overlap) {
  const bool weak = from_start()  ? false
                    : prefilled() ? characters_ < seam_overlap_prefilled
                                  : characters_ < weak_overlap &&
                                        detail::ends_as_it_begins(start_, telling_border);
  if (weak || !alive_.empty()) {
    return decide(SeamVerdict::ambiguous);
  }
  auto end = overlap.end;
  if (!blank_.empty()) {
    const auto rest = std::string_view(held_).substr(end);
    const auto white = rest.substr(0, detail::white_prefix(rest));
    end += white.size() - undelivered(blank_, white).size();
  }
  held_.replace(0, end, overlap.remainder);
  dropped_ = end;
  decide(overlap.whole ? SeamVerdict::restarted : SeamVerdict::repeated_tail);
}

void Seam::go_on() {
  if (manner_ != ResumeManner::prefilled) {
    const auto white = std::string_view(held_).substr(0, detail::white_prefix(held_));
    dropped_ = white.size() - undelivered(blank_, white).size();
    held_.erase(0, dropped_);
  }
  decide(SeamVerdict::went_on);
}

void Seam::decide(SeamVerdict verdict) {
  verdict_ = verdict;
  delivered_ = {};
  alive_ = {};
  start_ = {};
  overlap_.reset();
  if (refused()) {
    held_ = {};
  }
}

}  // namespace understudy
