#include "understudy/text/source_errors.hpp"

#include <doctest/doctest.h>

#include <boost/system/result.hpp>
#include <stdexcept>

using namespace understudy::text;

TEST_CASE("errors as text: file, place, what is wrong, what to write") {
  SourceErrors errors{"a.toml", {}};
  CHECK(to_string(errors).empty());
  errors.errors.emplace_back(SourcePlace(12, 5), "unknown key `modle`", "did you mean `model`?");
  errors.errors.emplace_back(SourcePlace(), "no section", "write one");
  CHECK(to_string(errors) ==
        "a.toml:12:5: unknown key `modle`: did you mean `model`?\na.toml: no section: write one");
}

TEST_CASE("value() of a result throws them") {
  const boost::system::result<int, SourceErrors> result =
      SourceErrors{"a.toml", {SourceError(SourcePlace(1, 1), "wrong", "write it right")}};
  CHECK_THROWS_WITH_AS(result.value(), "a.toml:1:1: wrong: write it right", std::runtime_error);
}

TEST_CASE("places are in the order of the file") {
  CHECK(SourcePlace() < SourcePlace(1, 1));
  CHECK(SourcePlace(1, 9) < SourcePlace(2, 1));
  CHECK(SourcePlace(2, 1) < SourcePlace(2, 2));
}
