#include "text/numbers.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace understudy::text;

TEST_CASE("the whole text as a number, or nothing") {
  CHECK(number_from<std::uint16_t>("0") == 0);
  CHECK(number_from<std::uint16_t>("65535") == 65535);
  CHECK(number_from<int>("-7") == -7);
  CHECK(number_from<double>("1.5e3") == 1500.0);
  for (const auto* text : {"", "65536", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1a"}) {
    CAPTURE(text);
    CHECK_FALSE(number_from<std::uint16_t>(text));
  }
  CHECK_FALSE(number_from<int>(std::string_view()));
}

TEST_CASE("hexadecimal digits") {
  CHECK(hexadecimal_from<std::uint32_t>("00e4") == 0xE4U);
  CHECK(hexadecimal_from<std::uint32_t>("fFfF") == 0xFFFFU);
  CHECK_FALSE(hexadecimal_from<std::uint32_t>("0x1"));
  CHECK_FALSE(hexadecimal_from<std::uint32_t>("1g"));
  CHECK_FALSE(hexadecimal_from<std::uint8_t>("100"));
}

TEST_CASE("a decimal number at the beginning is removed from the text") {
  std::string_view text = "1.5s";
  CHECK(take_decimal(text) == 1.5);
  CHECK(text == "s");
  text = "007";
  CHECK(take_decimal(text) == 7.0);
  CHECK(text.empty());
  for (const auto* wrong : {"", "s", "-1s", ".5s", "5.s", "1.2.3s", "1234567890123456s"}) {
    CAPTURE(wrong);
    text = wrong;
    CHECK_FALSE(take_decimal(text));
    CHECK(text == wrong);
  }
  text = "1e3s";  // no exponent: the number ends before it
  CHECK(take_decimal(text) == 1.0);
  CHECK(text == "e3s");
}

TEST_CASE("digits and a word, in lower case and without spaces") {
  const auto parts = digits_and_word("3 Min");
  REQUIRE(parts);
  CHECK(parts->first == "3");
  CHECK(parts->second == "min");
  CHECK(digits_and_word("180")->second.empty());
  CHECK(digits_and_word("soon")->first.empty());
  CHECK_FALSE(digits_and_word("3-4s"));
}
