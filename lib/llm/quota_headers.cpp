#include "quota_headers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "text/ascii.hpp"
#include "text/numbers.hpp"
#include "understudy/llm/retry_after.hpp"

namespace understudy::llm::detail {
namespace {

using std::chrono::system_clock;
using Time = system_clock::time_point;

constexpr std::size_t longest_name = 32;

/// What the fields state about one quota.
struct Stated {
  std::string window;
  bool of_subscription = false;
  std::optional<double> used;  // a share
  std::optional<double> limit;
  std::optional<double> remaining;
  std::optional<Clock::duration> resets;

  std::optional<double> left() const {
    if (used) {
      return 1 - *used;
    }
    // Azure writes -1 or 0 for what it does not know.
    const bool known = limit && remaining && *limit > 0 && *remaining >= 0;
    return known ? std::optional(*remaining / *limit) : std::nullopt;
  }
};

std::optional<double> number(std::string_view text) { return text::number_from<double>(text); }

/// A time as epoch seconds or as a date, from `now` on.
std::optional<Clock::duration> until(std::string_view text, Time now) {
  const auto seconds = text::number_from<std::int64_t>(text);
  constexpr std::int64_t latest = 4'000'000'000;  // the year 2096
  const auto time = seconds && *seconds >= 0 && *seconds < latest
                        ? std::optional(Time(std::chrono::seconds(*seconds)))
                    : seconds ? std::nullopt
                              : parse_date(text, now);
  return time ? std::optional(std::chrono::duration_cast<Clock::duration>(*time - now))
              : std::nullopt;
}

/// Go's form, always with a unit: a number alone, as Azure writes it, is not relied on.
std::optional<Clock::duration> span(std::string_view text) {
  const bool has_unit = !text.empty() && !text::is_digit(text.back());
  return has_unit ? parse_span(text) : std::nullopt;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  const bool there = text.starts_with(prefix);
  text.remove_prefix(there ? prefix.size() : 0);
  return there;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  const bool there = text.ends_with(suffix);
  text.remove_suffix(there ? suffix.size() : 0);
  return there;
}

/// Gathers the fields of one answer.
class QuotaReader {
 public:
  explicit QuotaReader(Time now) : now_(now) {}

  void read(std::string_view name, std::string_view value) {
    if (take_prefix(name, "anthropic-ratelimit-unified-")) {
      unified(name, value);
    } else if (take_prefix(name, "anthropic-ratelimit-")) {
      anthropic(name, value);
    } else if (take_prefix(name, "x-ratelimit-")) {
      openai(name, value);
    } else if (take_prefix(name, "x-codex-")) {
      codex(name, value);
    }
  }

  std::vector<Allowance> allowances() const {
    std::vector<Allowance> all;
    for (const auto& one : stated_) {
      const auto left = one.left();
      const bool matters = left && one.resets && *one.resets > Clock::duration::zero() &&
                           !(one.of_subscription && continues_);
      if (matters) {
        auto& allowance = all.emplace_back(one.window, *left, *one.resets);
        if (!one.of_subscription) {
          allowance.gradual().for_model();
        } else if (one.window.find('_') != std::string::npos) {  // "7d_opus": of one model
          allowance.for_model();
        }
      }
    }
    return all;
  }

 private:
  Stated& of(std::string_view window, bool of_subscription) {
    const auto found = std::find_if(stated_.begin(), stated_.end(), [&](const Stated& s) {
      return s.window == window && s.of_subscription == of_subscription;
    });
    if (found != stated_.end()) {
      return *found;
    }
    const bool fits = window.size() <= longest_name && stated_.size() < Quotas::most_allowances;
    if (!fits) {
      return ignored_;
    }
    auto& made = stated_.emplace_back();
    made.window = window;
    made.of_subscription = of_subscription;
    return made;
  }

  void unified(std::string_view name, std::string_view value) {
    if (name == "overage-status") {
      continues_ = continues_ || value.starts_with("allowed");
    } else if (take_suffix(name, "-utilization")) {
      of(name, true).used = number(value);
    } else if (take_suffix(name, "-reset")) {
      of(name, true).resets = until(value, now_);
    } else if (take_suffix(name, "-status") && value == "rejected") {
      of(name, true).used = 1;
    }
  }

  void anthropic(std::string_view name, std::string_view value) {
    if (take_suffix(name, "-limit")) {
      of(name, false).limit = number(value);
    } else if (take_suffix(name, "-remaining")) {
      of(name, false).remaining = number(value);
    } else if (take_suffix(name, "-reset")) {
      of(name, false).resets = until(value, now_);
    }
  }

  void openai(std::string_view name, std::string_view value) {
    if (take_prefix(name, "limit-")) {
      of(name, false).limit = number(value);
    } else if (take_prefix(name, "remaining-")) {
      of(name, false).remaining = number(value);
    } else if (take_prefix(name, "reset-")) {
      of(name, false).resets = span(value);
    }
  }

  void codex(std::string_view name, std::string_view value) {
    constexpr double percent = 100;
    if (name == "credits-has-credits" || name == "credits-unlimited") {
      continues_ = continues_ || text::in_lower_case(value) == "true";
    } else if (take_suffix(name, "-used-percent")) {
      const auto used = number(value);
      of(name, true).used = used ? std::optional(*used / percent) : std::nullopt;
    } else if (take_suffix(name, "-reset-at")) {
      of(name, true).resets = until(value, now_);
    } else if (take_suffix(name, "-reset-after-seconds")) {
      of(name, true).resets = parse_span(value);
    }
  }

  Time now_;
  std::vector<Stated> stated_;
  Stated ignored_;
  bool continues_ = false;
};

}  // namespace

std::vector<Allowance> quota_headers(const HttpFields& headers, Time now) {
  QuotaReader reader(parse_date(headers.find("date").value_or(""), now).value_or(now));
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    // Before the copy: most fields are others.
    const char first = name.empty() ? '\0' : text::lowered(name.front());
    if (first == 'a' || first == 'x') {
      reader.read(text::in_lower_case(name), value);
    }
  }
  return reader.allowances();
}

}  // namespace understudy::llm::detail
