/// Requests as coding agents send them, recorded (tests/data/agent_requests).
#pragma once

#include <doctest/doctest.h>
#include <simdjson.h>

#include <fstream>
#include <iterator>
#include <string>

#include "understudy/llm/codec.hpp"

namespace agent_requests {

using understudy::llm::Protocol;
using understudy::llm::Request;

/// The body of the request of that name.
inline std::string body(const std::string& name) {
  std::ifstream file(UNDERSTUDY_TEST_DATA "/agent_requests/" + name + ".json", std::ios::binary);
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element request;
  REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
  REQUIRE(root["body"].get(request) == simdjson::SUCCESS);
  return simdjson::minify(request);
}

inline Request read(Protocol protocol, const std::string& name) {
  auto request = understudy::llm::codec_for(protocol).read_request(body(name));
  REQUIRE_MESSAGE(request.has_value(), (request.has_error() ? request.error().message : ""));
  return std::move(*request);
}

}  // namespace agent_requests
