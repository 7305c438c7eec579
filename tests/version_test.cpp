#include <doctest/doctest.h>
#include <understudy/version.hpp>

#include <string>

TEST_CASE("the library names its version") { CHECK(std::string(understudy::version()) == "0.1.0"); }
