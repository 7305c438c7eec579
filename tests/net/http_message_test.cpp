#include "understudy/net/http_message.hpp"

#include <doctest/doctest.h>

using namespace understudy;

TEST_CASE("fields keep their order and spelling, and are found in any case") {
  HttpFields fields;
  fields.add("Content-Type", "text/event-stream");
  fields.add("x-a", "");
  fields.add("X-A", "second");
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].first == "Content-Type");
  CHECK(fields[2].second == "second");
  CHECK(fields.find("content-type") == "text/event-stream");
  CHECK(fields.find("X-a") == "");
  CHECK(!fields.find("x"));
}

TEST_CASE("words of a list") {
  CHECK(has_token("gzip, Chunked", "chunked"));
  CHECK(has_token(" close\t", "CLOSE"));
  CHECK(!has_token("closed", "close"));
  CHECK(!has_token("", "close"));
  CHECK(!has_token(",,", "close"));
}

TEST_CASE("what may be sent as a field") {
  CHECK(is_valid_field("x-api-key", "sk-\xc3\xa4 1\t2"));
  for (const auto* name : {"", "a b", "a:", "a\r", "\xc3\xa4"}) {
    CAPTURE(name);
    CHECK(!is_valid_field(name, "v"));
  }
  for (const auto* value : {"a\r\nX: y", "a\n", "\x7f"}) {
    CAPTURE(value);
    CHECK(!is_valid_field("a", value));
  }
  CHECK(!is_valid_field("a", std::string_view("\0", 1)));
}
