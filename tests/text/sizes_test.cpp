#include "text/sizes.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;

TEST_CASE("sizes") {
  CHECK(parse_size("0B") == 0U);
  CHECK(parse_size("1.5KiB") == 1536U);
  CHECK(parse_size("32MiB") == 32U * 1024 * 1024);
  CHECK(parse_size("1024GiB") == std::uint64_t{1} << 40U);
  for (const auto* wrong : {"", "32", "32MB", "32 MiB", "-1B", "1025GiB", "MiB"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_size(wrong));
  }
}

TEST_CASE("the size that was probably meant") {
  CHECK(meant_size("32MB") == "32MiB");
  CHECK(meant_size("32 m") == "32MiB");
  CHECK(meant_size("1 gigabyte") == "1GiB");
  CHECK(meant_size("10 bytes") == "10B");
  CHECK(meant_size("10") == "");
  CHECK(meant_size("much") == "");
}

TEST_CASE("a size as text, in the largest unit that fits") {
  CHECK(size_text(0) == "0B");
  CHECK(size_text(1023) == "1023B");
  CHECK(size_text(1536) == "1536B");
  CHECK(size_text(2048) == "2KiB");
  CHECK(size_text(std::uint64_t{1} << 30U) == "1GiB");
  for (const std::uint64_t size : {1U, 1025U, 4096U, 5U << 20U}) {
    CHECK(parse_size(size_text(size)) == size);
  }
}
