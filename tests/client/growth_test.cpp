// The cost of what a client keeps of an answer, against the answer's size.
#include "../growth.hpp"

#include <doctest/doctest.h>

#include <string>

#include "understudy/client/detail/held_events.hpp"
#include "understudy/client/recovery.hpp"
#include "understudy/client/resume_request.hpp"
#include "understudy/client/seam.hpp"

using namespace understudy;
using namespace understudy::llm;

namespace {

constexpr std::size_t mib = std::size_t{1024} * 1024;

template <class Prepare>
void check(Prepare prepare, std::size_t bytes) {
  const auto found = growth::of(prepare, bytes);
  CHECK_MESSAGE(found.ratio() <= growth::linear, found);
}

/// Words that do not repeat within a seam's length.
std::string prose(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    text += std::to_string(i * 7919) + (i % 9 == 0 ? ".\n" : " caf\u00e9 ");
  }
  return text;
}

}  // namespace

TEST_CASE("an answer that another member goes on with costs what its size says: many blocks") {
  check(
      [](std::size_t bytes) {
        return [bytes] {
          Recovery recovery;
          recovery.take(Event(Text(0, "begun")));
          recovery.goes_on(Rung::go_on);
          for (std::size_t i = 0; i < bytes / 100; ++i) {
            recovery.take(Event(Text(i, "x")));
            while (recovery.next() != nullptr) {
            }
            recovery.forget_given();
          }
        };
      },
      mib);
}

TEST_CASE("a call that is kept until it is whole costs what its size says") {
  check(
      [](std::size_t bytes) {
        return [bytes] {
          Recovery recovery;
          recovery.take(Event(ToolStart(0, "c", "f")));
          for (std::size_t i = 0; i < bytes / 100; ++i) {
            recovery.take(Event(ToolArguments(0, "1234567890")));
          }
          recovery.take(Event(ToolEnd(0, true)));
          while (recovery.next() != nullptr) {
          }
          recovery.forget_given();
        };
      },
      mib);
}

TEST_CASE("a seam that is looked for in a long answer costs what its size says") {
  check(
      [](std::size_t bytes) {
        return [text = prose(bytes)] {
          const auto asked = resume_request(text);
          Seam seam(text, ResumeManner::anchored);
          const auto again = asked.tail + " and on";
          for (const char c : again) {
            seam.feed({&c, 1});
          }
          CHECK(seam.joined());
        };
      },
      mib);
}

TEST_CASE("an answer that begins anew in small pieces costs what its size says") {
  check(
      [](std::size_t bytes) {
        return [text = prose(bytes)] {
          Seam seam(text, ResumeManner::anchored);
          for (std::string_view rest = text; !rest.empty();
               rest.remove_prefix(std::min<std::size_t>(4, rest.size()))) {
            seam.feed(rest.substr(0, 4));
          }
          seam.finish();
          CHECK(seam.joined());
        };
      },
      mib / 2);
}
