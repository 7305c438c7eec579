// Any bytes as an answer that is cut and continued: however the new text is cut into pieces, the same comes
// out; a repeated tail or a restart loses and doubles nothing; what it costs stays linear.
#include "understudy/client/seam.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "understudy/client/resume_request.hpp"

using namespace understudy;

namespace {

struct Outcome {
  SeamVerdict verdict;
  std::string text;

  bool operator==(const Outcome&) const = default;
};

Outcome feed(std::string_view delivered, ResumeManner manner, std::string_view text,
             std::size_t step) {
  Seam seam(delivered, manner);
  Outcome outcome{};
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::string piece(text.substr(at, step));
    outcome.text += seam.feed(piece);
    if (!outcome.text.empty() && !seam.joined()) {
      std::abort();
    }
  }
  outcome.text += seam.finish();
  outcome.verdict = seam.verdict();
  if (seam.undecided() || seam.steps() > 33 * (delivered.size() + 8) + 4096) {
    std::abort();
  }
  return outcome;
}

bool begins_character(std::string_view text, std::size_t at) {
  return at == text.size() || static_cast<unsigned char>(text[at]) < 0x80 ||
         static_cast<unsigned char>(text[at]) >= 0xC0;
}

/// So that fewer characters than these cannot be an overlap by accident.
bool long_enough(std::string_view tail) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < tail.size(); ++i) {
    const auto c = static_cast<unsigned char>(tail[i]);
    n += c > 0x20 && c < 0x7F ? 1 : 0;
  }
  return n >= seam_overlap;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  const std::string_view answer(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t cut = data[0] * answer.size() / 255;
  const std::size_t back = cut - data[1] * cut / 255;
  const std::size_t step = data[2] % 16 + 1;
  const auto delivered = answer.substr(0, cut);
  const auto rest = answer.substr(cut);
  for (const auto manner :
       {ResumeManner::anchored, ResumeManner::prefilled, ResumeManner::prefilled_trimmed}) {
    const auto outcome = feed(delivered, manner, answer.substr(back), answer.size() + 1);
    if (!(feed(delivered, manner, answer.substr(back), step) == outcome)) {
      std::abort();
    }
    const bool overlaps =
        outcome.verdict == SeamVerdict::repeated_tail || outcome.verdict == SeamVerdict::restarted;
    if (overlaps && begins_character(answer, cut) && begins_character(answer, back) &&
        long_enough(delivered.substr(back)) && outcome.text != rest) {
      std::abort();
    }
    feed(rest, manner, delivered, step);
  }
  const auto request = resume_request(delivered);
  if (delivered.find(request.tail) == std::string_view::npos) {
    std::abort();
  }
  return 0;
}
