#include "config_pages.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace understudy;

namespace {

std::string in_repository(const std::string& path) {
  std::ifstream in(std::filesystem::path(UNDERSTUDY_TEST_DATA) / "../.." / path, std::ios::binary);
  REQUIRE_MESSAGE(in, path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the example and the reference page are what the rows of the configuration say") {
  INFO("run ./dev configuration");
  CHECK(in_repository("examples/understudy.toml") == config::example_file());
  CHECK(in_repository("docs/configuration.md") == config::reference_page());
}
