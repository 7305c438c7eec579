#include "understudy/failover/secret.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <ostream>
#include <sstream>
#include <type_traits>

using namespace understudy;

namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

}  // namespace

TEST_CASE("a secret is seen by reveal() alone") {
  static_assert(!Printable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
  const Secret secret("sk-ant-0");
  CHECK(secret.reveal() == "sk-ant-0");
  CHECK_FALSE(secret.empty());
}

TEST_CASE("an empty one") {
  CHECK(Secret().empty());
  CHECK(Secret("").empty());
  CHECK(Secret() == Secret(""));
  CHECK(Secret().reveal().empty());
  CHECK_FALSE(Secret() == Secret("a"));
}

TEST_CASE("equal by content, regardless of the holder") {
  const Secret secret("sk-ant-0");
  const Secret copy = secret;
  CHECK(copy == secret);
  CHECK(copy.reveal().data() == secret.reveal().data());  // one place in memory to overwrite
  CHECK(secret == Secret("sk-ant-0"));
  CHECK_FALSE(secret == Secret("sk-ant-1"));
  CHECK_FALSE(secret == Secret("sk-ant-"));
  CHECK_FALSE(Secret(std::string("\0a", 2)) == Secret(std::string("\0b", 2)));
}

TEST_CASE("any bytes, and a copy outlives what it came from") {
  Secret copy;
  {
    const std::string text("\0\xff\nkey", 6);
    const Secret secret(text);
    copy = secret;
  }
  CHECK(copy.reveal() == std::string_view("\0\xff\nkey", 6));
}
