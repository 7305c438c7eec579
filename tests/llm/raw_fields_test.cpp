#include "../../lib/llm/raw_fields.hpp"

#include <doctest/doctest.h>

namespace raw_fields_test {

using namespace understudy::llm::detail;

TEST_CASE("members of an event as it came, found by their names") {
  const std::string_view raw =
      "event: x\ndata: {\"type\":\"x\",\"index\": "
      "12,\"item_id\":\"msg_1\",\"item\":{\"a\":\"}\\\"\",\"b\":{}}}\n\n";
  CHECK(raw_number(raw, R"("index")") == 12);
  CHECK(raw_text(raw, R"("item_id")") == "msg_1");
  CHECK(raw_object(raw, R"("item")") == "{\"a\":\"}\\\"\",\"b\":{}}");
}

TEST_CASE("what a string says is no member") {
  const std::string_view raw = R"({"delta":"say \"index\":3 and \"item_id\":\"x\"","index":1})";
  CHECK(raw_number(raw, R"("index")") == 1);
  CHECK(raw_text(raw, R"("item_id")").empty());
}

TEST_CASE("what is cut, of another type or not there is nothing") {
  for (const std::string_view raw :
       {"", "{", R"({"index")", R"({"index":)", R"({"index":"1"})", R"({"index":-1})",
        R"({"item_id":"x)", R"({"item":{"a":1)", R"({"item_id":"\)"}) {
    CAPTURE(raw);
    CHECK_FALSE(raw_number(raw, R"("index")"));
    CHECK(raw_text(raw, R"("item_id")").empty());
    CHECK(raw_object(raw, R"("item")").empty());
  }
}

}  // namespace raw_fields_test
