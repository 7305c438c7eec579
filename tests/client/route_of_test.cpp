#include "../../lib/client/route_of.hpp"

#include <doctest/doctest.h>

#include <string>

using understudy::detail::route_of;

TEST_CASE("a route of exactly the name, else the first pattern that matches, else the main one") {
  struct Route {
    std::string model;
  };
  const Route main{""};
  const std::vector<Route> routes{
      {"claude-*"}, {"claude-haiku-*"}, {"claude-haiku-4-5"}, {"*-mini"}};
  struct Row {
    const char* model;
    const char* route;
  };
  for (const auto& row :
       {Row{"claude-haiku-4-5", "claude-haiku-4-5"}, Row{"claude-haiku-3", "claude-*"},
        Row{"gpt-5-mini", "*-mini"}, Row{"gpt-5", ""}, Row{"", ""}}) {
    CAPTURE(row.model);
    CHECK(route_of(routes, main, row.model).model == row.route);
  }
}
