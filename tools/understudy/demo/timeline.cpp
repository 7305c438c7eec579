#include "timeline.hpp"

#include <array>
#include <cstdio>

namespace understudy::tool {
namespace {

Colour colour_of(LogLine what) {
  switch (what) {
    case LogLine::attempt: return Colour::bold;
    case LogLine::phase: return Colour::dim;
    case LogLine::progress: return Colour::plain;
    case LogLine::loss:
    case LogLine::decision: return Colour::yellow;
    case LogLine::failure:
    case LogLine::no_answer: return Colour::red;
    case LogLine::answered: return Colour::green;
  }
  return Colour::plain;
}

}  // namespace

void Timeline::note(LogLine what, std::string_view text) {
  std::array<char, 16> time{};
  std::snprintf(time.data(), time.size(), "%7.3f s  ",
                std::chrono::duration<double>(Clock::now() - began_).count());
  out_.line(std::string(time.data()) + std::string(text), colour_of(what));
  speaking_ = false;
}

void Timeline::said(std::string_view text) {
  if (!speaking_) {
    out_.line("");
    out_.write("           | ");
    speaking_ = true;
  }
  out_.write(text, Colour::cyan);
}

void Timeline::delivered(std::string_view form) {
  note(LogLine::progress, "  in the client's protocol: " + std::string(form));
}

void Timeline::taken_back() { note(LogLine::decision, "  the delivered part is retracted"); }

}  // namespace understudy::tool
