#include "understudy/llm/retry_after.hpp"

#include "text/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace understudy::llm {
namespace {

using namespace std::chrono;
using Time = system_clock::time_point;
using Span = std::optional<Clock::duration>;

bool letter(char c) { return text::is_lower(text::lowered(c)); }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return text::lowered(x) == text::lowered(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// Takes a number without sign or exponent off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  if (text.empty() || !(text::is_digit(text.front()) || text.front() == '.')) {
    return std::nullopt;
  }
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error == std::errc::result_out_of_range) {
    value = duration<double>(longest_retry_after).count();
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// Takes exactly `digits` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits ||
      !std::all_of(text.begin(), text.begin() + std::ptrdiff_t(digits), text::is_digit)) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view word) {
  if (text.size() < word.size() || !same(text.substr(0, word.size()), word)) {
    return false;
  }
  text.remove_prefix(word.size());
  return true;
}

std::string_view take_word(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), letter);
  const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

std::optional<double> seconds_of(std::string_view unit) {
  struct Unit {
    double seconds;
    std::array<std::string_view, 5> names;
  };
  static constexpr std::array units{
      Unit{0.001, {"ms", "millisecond", "milliseconds", "", ""}},
      Unit{1, {"s", "sec", "secs", "second", "seconds"}},
      Unit{60, {"m", "min", "mins", "minute", "minutes"}},
      Unit{3600, {"h", "hr", "hrs", "hour", "hours"}},
      Unit{86400, {"d", "day", "days", "", ""}},
  };
  for (const auto& [seconds, names] : units) {
    if (std::any_of(names.begin(), names.end(),
                    [&](std::string_view n) { return !n.empty() && same(n, unit); })) {
      return seconds;
    }
  }
  return std::nullopt;
}

Clock::duration clamped(double seconds) {
  const double longest = duration<double>(longest_retry_after).count();
  return seconds >= longest ? longest_retry_after
                            : duration_cast<Clock::duration>(duration<double>(seconds));
}

/// Takes "7m12s", "4hr 5min", "6 seconds" or "21" off the front; what follows may be anything.
Span take_span(std::string_view& text) {
  double total = 0;
  bool any = false;
  while (true) {
    auto rest = text;
    rest = any ? rest.substr(std::min(rest.find_first_not_of(' '), rest.size())) : rest;
    const auto number = take_number(rest);
    if (!number) {
      break;
    }
    auto unit = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto seconds = seconds_of(take_word(unit));
    if (seconds) {
      total += *number * *seconds;
      text = unit;
    } else if (!any) {
      total = *number;  // no unit, or a word of the sentence
      text = rest;
      any = true;
      break;
    } else {
      break;
    }
    any = true;
  }
  return any && std::isfinite(total) ? Span(clamped(total)) : std::nullopt;
}

std::optional<Time> at(int year_number, int month_number, int day_number, int hour, int minute,
                       int second) {
  const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {  // 60: a leap second
    return std::nullopt;
  }
  // Time counts nanoseconds, which last from 1677 to 2262; any year beyond these two means as much.
  const year within(std::clamp(year_number, 1970, 2200));
  return sys_days(within / date.month() / date.day()) + hours(hour) + minutes(minute) +
         seconds(second);
}

std::optional<int> take_month(std::string_view& text) {
  static constexpr std::array<std::string_view, 12> months{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (take(text, months[i])) {
      return static_cast<int>(i) + 1;
    }
  }
  return std::nullopt;
}

/// Hours, minutes and seconds, as all four forms of a date have them.
struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
};

std::optional<TimeOfDay> take_time(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  const bool first = take(text, ":");
  const auto minute = take_digits(text, 2);
  const bool second_colon = take(text, ":");
  const auto second = take_digits(text, 2);
  if (!hour || !first || !minute || !second_colon || !second) {
    return std::nullopt;
  }
  return TimeOfDay{*hour, *minute, *second};
}

std::optional<Time> rfc3339(std::string_view text) {
  const auto y = take_digits(text, 4);
  const bool dash = take(text, "-");
  const auto m = take_digits(text, 2);
  const bool second_dash = take(text, "-");
  const auto d = take_digits(text, 2);
  if (!y || !dash || !m || !second_dash || !d || !(take(text, "T") || take(text, " "))) {
    return std::nullopt;
  }
  const auto time = take_time(text);
  if (!time) {
    return std::nullopt;
  }
  double fraction = 0;
  if (!text.empty() && text.front() == '.') {
    const auto number = take_number(text);
    if (!number) {
      return std::nullopt;
    }
    fraction = *number;
  }
  minutes offset{};
  if (!take(text, "Z")) {
    const bool east = take(text, "+");
    if (!east && !take(text, "-")) {
      return std::nullopt;
    }
    const auto h = take_digits(text, 2);
    const bool colon = take(text, ":");
    const auto min = take_digits(text, 2);
    if (!h || !colon || !min) {
      return std::nullopt;
    }
    offset = (hours(*h) + minutes(*min)) * (east ? 1 : -1);
  }
  const auto whole = at(*y, *m, *d, time->hour, time->minute, time->second);
  if (!whole || !text.empty()) {
    return std::nullopt;
  }
  return *whole - offset + duration_cast<system_clock::duration>(duration<double>(fraction));
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT", after the comma.
std::optional<Time> imf_or_rfc850(std::string_view text, Time now) {
  const auto d = take_digits(text, 2);
  const bool old = take(text, "-");
  if (!d || (!old && !take(text, " "))) {
    return std::nullopt;
  }
  const auto m = take_month(text);
  if (!m || !take(text, old ? "-" : " ")) {
    return std::nullopt;
  }
  auto y = take_digits(text, old ? 2 : 4);
  const bool space = take(text, " ");
  const auto time = take_time(text);
  if (!y || !space || !time || !take(text, " GMT") || !text.empty()) {
    return std::nullopt;
  }
  if (old) {  // a year that seems more than 50 years ahead is in the past (RFC 9110 5.6.7)
    const int this_year = static_cast<int>(year_month_day(floor<days>(now)).year());
    *y += this_year - this_year % 100;
    *y -= *y > this_year + 50 ? 100 : 0;
  }
  return at(*y, *m, *d, time->hour, time->minute, time->second);
}

/// "Sun Nov  6 08:49:37 1994", after the day's name.
std::optional<Time> asctime(std::string_view text) {
  const auto m = take_month(text);
  if (!m || !take(text, " ")) {
    return std::nullopt;
  }
  const auto d = take_digits(text, take(text, " ") ? 1 : 2);
  const bool space = take(text, " ");
  const auto time = take_time(text);
  const bool second_space = take(text, " ");
  const auto y = take_digits(text, 4);
  if (!d || !space || !time || !second_space || !y || !text.empty()) {
    return std::nullopt;
  }
  return at(*y, *m, *d, time->hour, time->minute, time->second);
}

/// A moment: a date, or a number that is epoch seconds or milliseconds.
std::optional<Time> moment(std::string_view text, Time now) {
  auto rest = text;
  if (const auto number = take_number(rest); number && rest.empty()) {
    constexpr double earliest_milliseconds = 1e11;  // as seconds: the year 5138
    constexpr double latest = 4e9;                  // the year 2096
    const double epoch = *number >= earliest_milliseconds ? *number / 1000 : *number;
    return Time(duration_cast<system_clock::duration>(duration<double>(std::min(epoch, latest))));
  }
  return parse_date(text, now);
}

Span positive(Span span) { return span && *span > Clock::duration::zero() ? span : std::nullopt; }

Span until(std::optional<Time> time, Time now) {
  return time ? positive(clamped(duration<double>(*time - now).count())) : std::nullopt;
}

std::string_view value_of(std::span<const HeaderField> headers, std::string_view name) {
  const auto field = std::find_if(headers.begin(), headers.end(),
                                  [&](const HeaderField& f) { return same(f.first, name); });
  return field == headers.end() ? std::string_view() : trimmed(field->second);
}

/// The value after every `"key":` of the body, without quotes, until one is accepted. The body need not
/// be JSON, or whole.
template <class Accept>
Span field(std::string_view body, std::string_view key, Accept accept) {
  const std::string quoted = '"' + std::string(key) + '"';
  for (auto found = body.find(quoted); found != std::string_view::npos;
       found = body.find(quoted, found + quoted.size())) {
    auto rest = trimmed(body.substr(found + quoted.size()));
    if (!take(rest, ":")) {
      continue;
    }
    rest = trimmed(rest);
    const bool text = take(rest, "\"");
    if (const Span span = positive(accept(
            trimmed(rest.substr(0, rest.find_first_of(text ? std::string_view("\"")
                                                           : std::string_view(",}] \r\n"))))))) {
      return span;
    }
  }
  return std::nullopt;
}

Span from_wording(std::string_view body) {
  std::string text(body);
  std::transform(text.begin(), text.end(), text.begin(), text::lowered);
  static constexpr std::array<std::string_view, 6> wordings{
      "try again in ", "retry in ", "retry after ", "reset after ", "resets in ", "reset in "};
  for (const auto wording : wordings) {
    for (auto found = text.find(wording); found != std::string::npos;
         found = text.find(wording, found + wording.size())) {
      auto rest = std::string_view(text).substr(found + wording.size());
      if (const Span span = positive(take_span(rest))) {
        return span;
      }
    }
  }
  return std::nullopt;
}

Span from_body(std::string_view body, Time now) {
  const auto moment_in = [&](std::string_view text) { return until(moment(text, now), now); };
  for (const auto key : {"retryDelay", "quotaResetDelay", "retry_after", "resets_in_seconds"}) {
    if (const Span span = field(body, key, parse_span)) {
      return span;
    }
  }
  for (const auto key : {"resets_at", "reset_at", "retry_until"}) {
    if (const Span span = field(body, key, moment_in)) {
      return span;
    }
  }
  return from_wording(body);
}

/// `x-ratelimit-reset-KIND` (a span, or epoch) and `anthropic-ratelimit-KIND-reset` (a date). Several
/// kinds are announced at once: the one that is used up decides, the latest where there are several or
/// none says what remains; where all have something left, the request was too large for the earliest.
Span from_resets(std::span<const HeaderField> headers, Time now) {
  Span used_up;
  Span some_left;
  for (const auto& [name, raw] : headers) {
    std::string small(name);
    std::transform(small.begin(), small.end(), small.begin(), text::lowered);
    const auto reset = small.find("reset");
    if (small.find("ratelimit") == std::string::npos || reset == std::string::npos) {
      continue;
    }
    const auto value = trimmed(raw);
    Span span = parse_span(value);
    if (!span || *span > hours(24 * 365)) {
      span = until(moment(value, now), now);
    }
    if (!positive(span)) {
      continue;
    }
    const auto remaining = value_of(headers, small.replace(reset, 5, "remaining"));
    if (remaining.empty() || remaining == "0") {
      used_up = std::max(used_up, span);
    } else {
      some_left = some_left ? std::min(some_left, span) : span;
    }
  }
  return used_up ? used_up : some_left;
}

}  // namespace

std::optional<Time> parse_date(std::string_view text, Time now) {
  text = trimmed(text);
  if (!text.empty() && text::is_digit(text.front())) {
    return rfc3339(text);
  }
  if (take_word(text).empty()) {
    return std::nullopt;
  }
  if (take(text, ", ")) {
    return imf_or_rfc850(text, now);
  }
  return take(text, " ") ? asctime(text) : std::nullopt;
}

Span parse_span(std::string_view text) {
  text = trimmed(text);
  const Span span = take_span(text);
  return text.empty() ? span : std::nullopt;
}

Span retry_after(std::span<const HeaderField> headers, std::string_view body, Time now) {
  const auto base = parse_date(value_of(headers, "date"), now).value_or(now);

  auto milliseconds_text = value_of(headers, "retry-after-ms");
  if (const auto number = take_number(milliseconds_text); number && milliseconds_text.empty()) {
    if (const Span span = positive(clamped(*number / 1000))) {
      return span;
    }
  }
  const auto header = value_of(headers, "retry-after");
  if (const Span span = positive(parse_span(header))) {
    return span;
  }
  if (const Span span = until(parse_date(header, base), base)) {
    return span;
  }
  if (const Span span = from_body(body.substr(0, retry_after_body_limit), base)) {
    return span;
  }
  return from_resets(headers, base);
}

}  // namespace understudy::llm
