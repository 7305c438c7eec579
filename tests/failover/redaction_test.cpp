#include "../../lib/failover/redaction.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "../growth.hpp"
#include "written_forms.hpp"

using understudy::detail::redacted;
using written_forms::all;

namespace {

constexpr const char* keys[] = {
    "sk-ant-api03-AbC/dEf+GhI_jKl&mNo<pQr>sTu\"vWx'yZ09",
    "sk-12345",
    "key&with%41percent\\and/slashes?=",
    "~~~~~~~~????????",
};

}  // namespace

TEST_CASE("a secret is found in every form, alone and within text, and nothing of it is left") {
  for (const std::string key : keys) {
    for (const auto& form : all(key)) {
      CAPTURE(form.what);
      CAPTURE(form.text);
      CHECK(redacted(form.text, key, false) == form.around("[credential]"));
      const auto within = "no such key: \"" + form.text + "\", and none like it";
      CHECK(redacted(within, key, false) ==
            "no such key: \"" + form.around("[credential]") + "\", and none like it");
      const auto twice = form.text + " " + form.text;
      CHECK(redacted(twice, key, false) ==
            form.around("[credential]") + " " + form.around("[credential]"));
    }
  }
}

TEST_CASE("a secret that the end of the text cuts off, in every form and at every byte") {
  const std::string key = keys[0];
  for (const auto& form : all(key)) {
    CAPTURE(form.what);
    // What 4 characters of the secret take, and an escape more: fewer say nothing of it.
    const auto least = form.leading + 4 * (form.text.size() / key.size() + 2) + 4;
    for (auto size = least; size < form.text.size() - form.behind; ++size) {
      CAPTURE(size);
      const auto shown = redacted("bad: " + form.text.substr(0, size), key, true);
      const auto at = shown.find("[credential]");
      CHECK(at <= std::string("bad: ").size() + form.leading);
      // At most of base64's padding a part is left.
      CHECK(shown.size() <= at + std::string("[credential]=%3").size());
    }
  }
  CHECK(redacted("keys begin with sk-ant", key, false) == "keys begin with sk-ant");
  CHECK(redacted("keys begin with sk-ant", key, true) == "keys begin with [credential]");
  CHECK(redacted("a mask", key, true) == "a mask");
}

TEST_CASE("occurrences that overlap are one") {
  CHECK(redacted("abababababab", "abababab", false) == "[credential]");
  CHECK(redacted("xabababababx", "abababab", false) == "x[credential]x");
  CHECK(redacted("aaaaaaaaaaaaaaaa aaaaaaa", "aaaaaaaa", false) == "[credential] aaaaaaa");
  CHECK(redacted("sk-12345sk-12345", "sk-12345", false) == "[credential][credential]");
}

TEST_CASE("short secrets leave ordinary text alone") {
  const std::string ordinary =
      "None of the models in /var/lib/nonesuch is none; 6e6f6e65 bm9uZQ== %6e%6f%6e%65x";
  CHECK(redacted(ordinary, "none", false) ==
        "None of the models in /var/lib/nonesuch is [credential]; 6e6f6e65 bm9uZQ== %6e%6f%6e%65x");
  CHECK(redacted("a red bird, incredibly red", "red", false) ==
        "a [credential] bird, incredibly [credential]");
  CHECK(redacted("x marks the spot: max", "x", false) == "[credential] marks the spot: max");
  CHECK(redacted("%72%65%64!", "red", false) == "[credential]!");
  CHECK(redacted("ollama: no such model; ollama2 neither", "ollama", false) ==
        "[credential]: no such model; ollama2 neither");
  CHECK(redacted("anything", "", false) == "anything");
  CHECK(redacted("", "anything", true) == "");
}

TEST_CASE("texts that only look like it stay as they are") {
  const std::string key = "sk-abcdefgh";
  for (const char* text : {"sk-abcdefgi", "sk-abcdefg", "c2stYWJj", "736b2d616263", "%73%6b%2dabc",
                           "&#115;k-abc", "SK-ABCDEFGH", "k-abcdefgh"}) {
    CHECK(redacted(text, key, false) == text);
  }
}

TEST_CASE("a secret longer than the text is there in part at most") {
  const std::string key(100'000, 'k');
  CHECK(redacted("kkkkkkkkkk", key, false) == "kkkkkkkkkk");
  CHECK(redacted("bad kkkkkkkkkk", key, true) == "bad [credential]");
}

TEST_SUITE("full") {
  TEST_CASE("the time to redact grows no faster than the text") {
    const std::vector<std::function<std::string(std::size_t)>> texts{
        [](std::size_t n) { return std::string(n, 'a'); },
        [](std::size_t n) { return std::string(n, '%'); },
        [](std::size_t n) { return std::string(n, '&'); },
        [](std::size_t n) { return std::string(n, '\\'); },
        [](std::size_t n) {
          std::string text;
          while (text.size() < n) {
            text += "aaaaaaab %61&#97;\\u0061 sk-12345 ";
          }
          return text;
        },
    };
    for (const auto& key : {std::string("aaaaaaaab"), std::string(100'000, 'a'),
                            std::string("sk-12345"), std::string("aaaaaaaa")}) {
      for (const auto& text : texts) {
        const auto found = growth::of(
            [&](std::size_t bytes) {
              return [&key, body = text(bytes)] { CHECK_FALSE(redacted(body, key, true).empty()); };
            },
            std::size_t{1} << 20U);
        CHECK_MESSAGE(found.ratio() <= growth::linear, key.substr(0, 10), text(10), ": ", found);
      }
    }
  }
}
