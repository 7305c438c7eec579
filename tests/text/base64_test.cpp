#include "text/base64.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;

TEST_CASE("base64url, without padding") {
  CHECK(base64url_decoded("") == "");
  CHECK(base64url_decoded("Zg") == "f");
  CHECK(base64url_decoded("Zm8") == "fo");
  CHECK(base64url_decoded("Zm9v") == "foo");
  CHECK(base64url_decoded("Zm9vYg") == "foob");
  CHECK(base64url_decoded("_-8") == "\xff\xef");
  CHECK(base64url_decoded("AAA") == std::string(2, '\0'));
}

TEST_CASE("decoding ends at the first character that is not in the alphabet") {
  CHECK(base64url_decoded("Zm9v.Zm9v") == "foo");
  CHECK(base64url_decoded("Zg==") == "f");
  CHECK(base64url_decoded("+/8") == "");
}
