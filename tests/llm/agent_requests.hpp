/// Requests as agents and SDKs send them: recorded, or modelled on recordings (tests/data/agent-requests).
#pragma once

#include <doctest/doctest.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "client_request.hpp"

namespace agent_requests {

using understudy::llm::Protocol;
using understudy::llm::Request;

struct AgentRequest {
  std::string name;
  Protocol protocol = Protocol::openai_chat;
  std::string betas;  ///< the value of `anthropic-beta`
  std::string body;
};

/// The request of that name.
inline AgentRequest load(const std::string& name) {
  std::ifstream file(UNDERSTUDY_TEST_DATA "/agent-requests/" + name + ".json", std::ios::binary);
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element body;
  std::string_view protocol;
  std::string_view betas;
  REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
  REQUIRE(root["body"].get(body) == simdjson::SUCCESS);
  REQUIRE(root["protocol"].get(protocol) == simdjson::SUCCESS);
  AgentRequest request;
  request.name = name;
  request.protocol = protocol == "a"   ? Protocol::anthropic_messages
                     : protocol == "r" ? Protocol::openai_responses
                                       : Protocol::openai_chat;
  if (root["headers"]["anthropic-beta"].get(betas) == simdjson::SUCCESS) {
    request.betas = betas;
  }
  request.body = simdjson::minify(body);
  return request;
}

/// All of them, by name.
inline std::vector<AgentRequest> all() {
  std::vector<AgentRequest> requests;
  for (const auto& file :
       std::filesystem::directory_iterator(UNDERSTUDY_TEST_DATA "/agent-requests")) {
    requests.push_back(load(file.path().stem().string()));
  }
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  REQUIRE(requests.size() == 29);
  return requests;
}

inline Request read(Protocol protocol, const std::string& name) {
  const auto request = load(name);
  REQUIRE(request.protocol == protocol);
  return client_request(protocol, request.body);
}

}  // namespace agent_requests
