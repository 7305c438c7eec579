#include "understudy/client/resume_request.hpp"

#include <doctest/doctest.h>

#include "seam_corpus.hpp"
#include "understudy/client/seam.hpp"

using namespace understudy;
using seam_corpus::answers_of;

namespace {

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

std::size_t characters(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) {
    n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
  }
  return n;
}

}  // namespace

TEST_CASE("it quotes the answer and asks for its tail, from the beginning of a word") {
  const std::string answer =
      "The harbour was empty when we came down the hill. A single lamp burned above the office do";
  const auto request = resume_request(answer);
  CHECK(request.tail == "A single lamp burned above the office do");
  CHECK(request.message.find("<answer>" + answer + "</answer>") != std::string::npos);
  CHECK(request.message.find(">" + request.tail + "<") != std::string::npos);
}

TEST_CASE("a short answer is its own tail") {
  CHECK(resume_request("One. Two. Thr").tail == "One. Two. Thr");
  CHECK(resume_request("  One.\n").tail == "One.");
  CHECK(resume_request("").tail == "");
  CHECK(resume_request(" \n").tail == "");
}

TEST_CASE("the tail is cut between characters, not within one") {
  const std::string family = "👩‍❤️‍💋‍👨";
  std::string answer;
  for (int i = 0; i < 10; ++i) {
    answer += family + std::to_string(i);
  }
  CHECK(resume_request(answer).tail.starts_with("👩"));
  const std::string marks = "x" + std::string(30, 'y') + "e\u0301\u0323" + std::string(38, 'z');
  CHECK(resume_request(marks).tail == marks.substr(31));
  const std::string wide =
      "港口空无一人。办公室门上只亮着一盏灯，台阶上放着一卷湿绳子。“他们四点就出海了，”男孩说，“涨"
      "潮之前不会回来。”我们坐下来等，等了很久。";
  CHECK(characters(resume_request(wide).tail) == 40);
}

TEST_CASE("a tail that occurs twice is made longer, unless all is the same") {
  const std::string row = "| the same | in every row of this table |\n";
  const std::string answer = "| a | b |\n|---|---|\n" + row + row + row;
  const auto request = resume_request(answer);
  CHECK(occurrences(answer, request.tail) == 1);
  CHECK(request.tail.size() > 2 * row.size());

  std::string same;
  for (int i = 0; i < 1000; ++i) {
    same += "ha ";
  }
  CHECK(characters(resume_request(same).tail) <= 44);
}

TEST_CASE("a member that does as it is asked is joined") {
  for (const std::string kind : {"prose", "code", "lists", "json", "tables", "cjk", "emoji"}) {
    for (const auto& answer : answers_of(kind)) {
      for (std::size_t cut = 40; cut + 1 < answer.text.size(); cut += 7) {
        if ((static_cast<unsigned char>(answer.text[cut]) & 0xC0U) == 0x80) {
          continue;
        }
        const auto delivered = answer.text.substr(0, cut);
        const auto tail = resume_request(delivered).tail;
        const auto end = delivered.rfind(tail) + tail.size();
        Seam seam(delivered, ResumeManner::anchored);
        std::string text{seam.feed(answer.text.substr(end - tail.size()))};
        text += seam.finish();
        CAPTURE(answer.name);
        CAPTURE(cut);
        if (seam.joined()) {
          CHECK(delivered + text == answer.text);
        } else {
          CHECK(seam.verdict() == SeamVerdict::ambiguous);
          CHECK(cut < 160);  // the longer an answer, the surer a tail that occurs once
        }
      }
    }
  }
}

TEST_CASE("of a long answer its end is quoted") {
  std::string answer;
  for (int i = 0; answer.size() < 3 * resume_quote; ++i) {
    answer += "line " + std::to_string(i) + " é\n";
  }
  const auto request = resume_request(answer);
  CHECK(request.message.size() < resume_quote + 2000);
  const auto begin = request.message.find("<answer>") + 8;
  const auto quote = request.message.substr(begin, request.message.find("</answer>") - begin);
  CHECK(answer.ends_with(quote));
  CHECK(quote.size() + 4 > resume_quote);
  CHECK((static_cast<unsigned char>(quote.front()) & 0xC0U) != 0x80);
}

TEST_CASE("nothing in the answer ends the quote") {
  const auto request = resume_request("Write <answer>42</answer> or </answer-x>, then stop.");
  CHECK(request.message.find("<answer-x-x>Write <answer>") != std::string::npos);
}

TEST_CASE("other words") {
  const auto request = resume_request("Eins. Zwei. Dr", ResumeWording()
                                                            .with_before_quote("Bisher:")
                                                            .with_before_tail("Beginne mit:")
                                                            .with_after_tail("Dann weiter."));
  CHECK(request.message ==
        "Bisher:\n\n<answer>Eins. Zwei. Dr</answer>\n\nBeginne mit:\n\n<answer>Eins. Zwei. "
        "Dr</answer>\n\nDann weiter.");
}
