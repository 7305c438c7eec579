#include "terminal.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace understudy::tool {
namespace {

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::plain: return "";
    case Colour::dim: return "\033[2m";
    case Colour::bold: return "\033[1m";
    case Colour::red: return "\033[31m";
    case Colour::green: return "\033[32m";
    case Colour::yellow: return "\033[33m";
    case Colour::cyan: return "\033[36m";
  }
  return "";
}

}  // namespace

Terminal::Terminal(std::ostream& out, int descriptor)
    : out_(&out), interactive_(::isatty(descriptor) == 1), colour_(interactive_) {
  const char* const no_colour = std::getenv("NO_COLOR");
  colour_ = colour_ && (no_colour == nullptr || *no_colour == '\0');
}

Terminal Terminal::standard_output() { return {std::cout, STDOUT_FILENO}; }
Terminal Terminal::standard_error() { return {std::cerr, STDERR_FILENO}; }

void Terminal::write(std::string_view text, Colour colour) {
  if (text.empty()) {
    return;
  }
  clear_status();
  const bool coloured = colour_ && colour != Colour::plain;
  *out_ << (coloured ? code_of(colour) : std::string_view()) << text << (coloured ? "\033[0m" : "")
        << std::flush;
  mid_line_ = text.back() != '\n';
}

void Terminal::line(std::string_view text, Colour colour) {
  if (mid_line_) {
    write("\n");
  }
  write(text, colour);
  write("\n");
}

void Terminal::status(std::string_view text) {
  if (interactive_ && !mid_line_) {
    *out_ << "\r\033[K" << text << std::flush;
    status_ = true;
  }
}

void Terminal::clear_status() {
  if (status_) {
    *out_ << "\r\033[K";
    status_ = false;
  }
}

std::string spoken(Clock::duration duration) {
  using namespace std::chrono_literals;
  std::array<char, 48> text{};
  const auto seconds = std::chrono::duration<double>(duration).count();
  if (duration < 60s) {
    std::snprintf(text.data(), text.size(), "%.3f s", seconds);
  } else {
    const auto whole = std::chrono::floor<std::chrono::seconds>(duration).count();
    std::snprintf(text.data(), text.size(), "%lld min %lld s", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  }
  return text.data();
}

}  // namespace understudy::tool
