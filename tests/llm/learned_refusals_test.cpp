#include "understudy/llm/learned_refusals.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "understudy/testing/virtual_time.hpp"

namespace learned_refusals_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

TEST_CASE("what tunes an answer is learned; what it is about is not") {
  for (const auto* mend : {"drop:temperature", "drop:odd", "drop:reasoning.effort",
                           "rename:max_tokens>max_completion_tokens", "drop:textual"}) {
    CAPTURE(mend);
    CHECK(is_learnable(mend));
  }
  for (const auto* mend : {"drop:tools", "drop:tools[].strict", "drop:tool_choice",
                           "drop:response_format", "drop:text.format", "drop_value:temperature",
                           "drop:messages[].name", "drop:system", "nonsense"}) {
    CAPTURE(mend);
    CHECK_FALSE(is_learnable(mend));
  }
}

TEST_CASE("a lesson holds for its condition alone, and is tested by one request after its time") {
  testing::VirtualTime time;
  asio::io_context context;
  LearnedRefusals lessons;
  const auto key = condition_of("p", "m", "high", true);
  lessons.learn(key, "drop:odd");
  lessons.learn(key, "drop:odd");
  lessons.learn(key, "drop:tools");
  CHECK(lessons.size() == 1);
  CHECK(lessons.mends(key) == Names{"drop:odd"});
  CHECK(lessons.mends(condition_of("p", "m", "low", true)).empty());
  CHECK(lessons.mends(condition_of("p", "m", "high", false)).empty());
  CHECK(lessons.mends(condition_of("p", "other", "high", true)).empty());

  time.run_for(context, 15min);
  CHECK(lessons.mends(key).empty());  // the test
  CHECK(lessons.mends(key) == Names{"drop:odd"});
  lessons.succeeded(key, {"drop:odd"});  // another request
  CHECK(lessons.mends(key) == Names{"drop:odd"});

  SUBCASE("it no longer holds") {
    lessons.succeeded(key, {});
    CHECK(lessons.mends(key).empty());
    CHECK(lessons.size() == 0);
  }
  SUBCASE("it still holds") {
    lessons.learn(key, "drop:odd");
    lessons.succeeded(key, {"drop:odd"});
    CHECK(lessons.mends(key) == Names{"drop:odd"});
  }
  SUBCASE("the test is never decided") {
    time.run_for(context, 15min);
    CHECK(lessons.mends(key).empty());
  }
}

TEST_CASE("the number of lessons is bounded") {
  LearnedRefusals lessons;
  for (int i = 0; i < 3000; ++i) {
    lessons.learn(condition_of("p", "m" + std::to_string(i), "", false), "drop:odd");
  }
  CHECK(lessons.size() <= LearnedRefusals::most);
  CHECK(lessons.mends(condition_of("p", "m2999", "", false)) == Names{"drop:odd"});
}

}  // namespace learned_refusals_test
