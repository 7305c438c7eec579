/// What is written for people: colour where it is wanted, times and lines that do not tear each other.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "understudy/runtime/clock.hpp"

namespace understudy::tool {

enum class Colour : unsigned char { plain, dim, bold, red, green, yellow, cyan };

/// One of the program's two outputs. Colour goes to a terminal alone, and never where NO_COLOR is set
/// (no-color.org).
class Terminal {
 public:
  static Terminal standard_output();
  static Terminal standard_error();
  /// For tests and files.
  explicit Terminal(std::ostream& out, bool interactive = false) noexcept
      : out_(&out), interactive_(interactive), colour_(interactive) {}

  bool interactive() const noexcept { return interactive_; }

  /// Text as it is.
  void write(std::string_view text, Colour colour = Colour::plain);
  /// A line of its own: what stands unfinished on the line before is ended first.
  void line(std::string_view text, Colour colour = Colour::plain);
  /// A line that the next one replaces; on a terminal alone.
  void status(std::string_view text);

 private:
  Terminal(std::ostream& out, int descriptor);

  void clear_status();

  std::ostream* out_;
  bool interactive_;
  bool colour_;
  bool mid_line_ = false;
  bool status_ = false;
};

/// "0.123 s", "4 min 2 s".
std::string spoken(Clock::duration duration);

}  // namespace understudy::tool
