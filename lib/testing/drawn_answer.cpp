#include "drawn_answer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "client/folding.hpp"
#include "understudy/client/seam.hpp"

namespace understudy::testing {
namespace {

// Words, each ended by a bar.
constexpr std::string_view prose_words =
    "the|north|tank|holds|seventy-one|percent,|while|south|one|is|nearly|empty;|both|valves|were|"
    "shut|at|noon.|Nobody|has|opened|them|since,|and|pump|in|old|house|runs|by|itself.|\"Wait\",|"
    "said|keeper|who|had|not|slept:|it's|raining\n\n|**again**|on|roof|caf\u00e9|na\u00efve|-|1.|";
constexpr std::string_view code_words =
    "int|level|=|read(tank);\n   |if|(level|<|12)|{\n       |return|false;\n   |}\n   |auto|const&|"
    "pump|pumps[i];\n   |// empty\n   |for|(auto|x|:|all)|{\n\n       |+=|\"\\t%\";\n   |```\n|"
    "```cpp\n|}\n\n|void|run()|{\n\t|std::cout|<<|level;|";
constexpr std::string_view sign_words =
    "\u5317\u4fa7|\u6c34\u7bb1|\u88c5\u6709|\u767e\u5206\u4e4b|\u4e03\u5341\u4e00\u3002|"
    "\u5357\u4fa7|"
    "\u51e0\u4e4e|\u662f|\u7a7a\u7684\uff0c|\u9600\u95e8|\u5728|\u4e2d\u5348|\u5173\u95ed\u3002\n|"
    "\u6c34\u6cf5|\u30dd\u30f3\u30d7|\u81ea\u5df1|\u8fd0\u8f6c\uff01|tank-7|e\u0301t\u00e9|"
    "\U0001F6B0|\U0001F468\u200D\U0001F527|\u2764\uFE0F|\U0001F1F3\U0001F1F4|\U0001F44D\U0001F3FD|";

std::vector<std::string_view> words_of(std::string_view kind) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < kind.size(); at += words.back().size() + 1) {
    words.push_back(kind.substr(at, kind.find('|', at) - at));
  }
  return words;
}

/// White space between the two is none.
bool says_twice_in_a_row(std::string_view text) {
  const auto folded = detail::folded(text);
  for (std::size_t period = 1; period < folded.size(); ++period) {
    std::size_t run = 0;
    for (std::size_t i = 0; i + period < folded.size(); ++i) {
      run = folded[i] == folded[i + period] ? run + 1 : 0;
      const std::size_t least = run == i + 1 ? 1 : seam_overlap;  // from the start?
      if (run >= std::max(period - 1, least)) {
        return true;
      }
    }
  }
  return false;
}

/// Some of them twice, at different places.
std::string draw_words(Dice& dice, std::string_view kind, std::size_t count, bool spaced = true) {
  const auto all = words_of(kind);
  std::vector<std::string_view> words;
  std::size_t again = 0;  // so many words back
  for (std::size_t i = 0; i < count; ++i) {
    const bool repeats = again > 0 ? dice.chance(80) : i > 8 && dice.chance(8);
    again = !repeats ? 0 : again > 0 ? again : 4 + dice.pick(i - 4);
    words.push_back(again > 0 ? words[i - again] : all[dice.pick(all.size())]);
  }
  std::string text;
  for (const auto word : words) {
    text += text.empty() || (!spaced && dice.chance(50)) ? "" : " ";
    text += word;
  }
  return text;
}

std::string draw_text(Dice& dice) {
  constexpr std::array kinds{prose_words, code_words, sign_words};
  const auto kind = kinds[dice.pick(kinds.size())];
  const auto longest = dice.chance(50) ? 12U : 80U;
  std::string text;
  do {
    text = draw_words(dice, kind, 1 + dice.pick(longest), kind != sign_words);
  } while (says_twice_in_a_row(text));
  return text;
}

}  // namespace

WholeAnswer draw_answer(Dice& dice) {
  WholeAnswer answer;
  const auto calls = dice.chance(60) ? 0 : 1 + dice.pick(2);
  for (std::size_t i = 0; i < calls; ++i) {
    const auto note = dice.chance(50) ? R"("\u6c34 \"7\" )" + std::to_string(dice.pick(1000)) + "\""
                                      : std::to_string(dice.pick(1000));
    answer.calls.emplace_back(dice.chance(50) ? "read" : "write",
                              dice.chance(10) ? "{}" : R"({"tank": "north", "n": )" + note + "}");
  }
  if (calls == 0 || dice.chance(80)) {
    answer.text = draw_text(dice);
  }
  if (dice.chance(20)) {
    answer.thought = draw_words(dice, prose_words, 1 + dice.pick(8));
  }
  return answer;
}

}  // namespace understudy::testing
