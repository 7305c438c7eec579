/// The streams of tests/data/whole_answers, and the whole answers that they are to become.
#pragma once

#include <doctest/doctest.h>
#include <simdjson.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "understudy/llm/protocol.hpp"

namespace whole_answers {

using understudy::llm::Protocol;

struct WholeAnswer {
  Protocol protocol;
  std::string name;
};

inline const WholeAnswer all[] = {
    {Protocol::openai_chat, "openai_chat_choices"},
    {Protocol::openai_chat, "openai_chat_calls"},
    {Protocol::openai_chat, "openai_chat_reasoning_details"},
    {Protocol::anthropic_messages, "anthropic_server_tools"},
    {Protocol::openai_responses, "openai_responses_items"},
    {Protocol::openai_responses, "openai_responses_output_empty"},
};

inline std::string file(const std::string& name) {
  std::ifstream in(std::string(UNDERSTUDY_TEST_DATA "/whole_answers/") + name, std::ios::binary);
  if (!in) {
    throw std::runtime_error("no " + name);
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Without white space. Fails the test if it is not JSON.
inline std::string minified(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element valid;
  CHECK_MESSAGE(parser.parse(json).get(valid) == simdjson::SUCCESS, json);
  std::string out(json.size() + 64, '\0');
  std::size_t size = 0;
  CHECK(simdjson::minify(json.data(), json.size(), out.data(), size) == simdjson::SUCCESS);
  out.resize(size);
  return out;
}

}  // namespace whole_answers
