#include "../../lib/llm/made_up_id.hpp"

#include <doctest/doctest.h>

#include <string>

#include "../../lib/llm/openai_responses/item_ids.hpp"
#include "understudy/llm/codec.hpp"

namespace made_up_id_test {

using namespace understudy::llm;
using namespace understudy::llm::detail;
using openai_responses::item_id;
using openai_responses::without_made_up_ids;

TEST_CASE("ids that are made up are unlike each other, and recognized") {
  const auto id = made_up_id("resp_");
  CHECK(id.starts_with("resp_us1_"));
  CHECK(id != made_up_id("resp_"));
  CHECK(is_made_up(id));
  CHECK(is_made_up(made_up_id("chatcmpl-")));
  CHECK(is_made_up(item_id("msg_", "chatcmpl-7", 0)));
  CHECK(item_id("msg_", std::string(500, '.'), 12345).size() <= 64);
  for (const auto* theirs :
       {"", "msg", "msg_", "msg_67ccd2bf17f0819081ff3bb2cf6508e6", "rs_1", "us1_"}) {
    CHECK_FALSE(is_made_up(theirs));
  }
}

TEST_CASE("no provider gets an id that was made up when a client sends its items back") {
  const std::string body =
      R"({"model":"m","input":[ {"role":"user","content":"msg_us1_a_0"},)"
      R"({"id":"msg_us1_a_0","type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]},)"
      R"({"type":"function_call","id":"fc_us1_a_1","call_id":"c","name":"n","arguments":"{\"id\": 1.0}"},)"
      R"({"type":"reasoning","id":"rs_us1_a_2","summary":[]},)"
      R"({"type":"reasoning","id":"rs_us1_a_3","summary":[],"encrypted_content":"e"},)"
      R"({"type":"message","id":"msg_theirs","role":"assistant","content":"y"}],"n":1.50})";
  const std::string wanted =
      R"({"model":"m","input":[{"role":"user","content":"msg_us1_a_0"},)"
      R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]},)"
      R"({"type":"function_call","call_id":"c","name":"n","arguments":"{\"id\": 1.0}"},)"
      R"({"type":"reasoning","summary":[],"encrypted_content":"e"},)"
      R"({"type":"message","id":"msg_theirs","role":"assistant","content":"y"}],"n":1.50})";
  CHECK(without_made_up_ids(body) == wanted);
  const auto& codec = codec_for(Protocol::openai_responses);
  const auto request = codec.read_request(body);
  REQUIRE(request.has_value());
  CHECK(request->body == wanted);
  std::string sent;
  codec.write_request(*request, sent);
  CHECK(sent.find("us1_a_1") == std::string::npos);
  CHECK(sent.find("msg_theirs") != std::string::npos);
}

TEST_CASE("a body without such ids, or that is malformed, stays as it is") {
  for (const auto* body :
       {"", "[", R"({"input":"us1_"})", R"({"input":[{"id":"msg_us1_a_0")",
        R"({"input":[{"id":"msg_1","x":"us1_"}]})", R"({"input":[1,"msg_us1_a_0",null]})"}) {
    CAPTURE(body);
    CHECK_FALSE(without_made_up_ids(body));
  }
}

TEST_CASE("a client that refers to what was never stored is told so") {
  const auto& codec = codec_for(Protocol::openai_responses);
  const auto named = codec.read_request(
      R"({"model":"m","input":"x","previous_response_id":"resp_us1_0123456789abcdef"})");
  REQUIRE(named.has_error());
  CHECK(named.error().parameter == "previous_response_id");
  const auto referred =
      codec.read_request(R"({"model":"m","input":[{"type":"item_reference","id":"msg_us1_a_0"}]})");
  REQUIRE(referred.has_error());
  CHECK(referred.error().parameter == "input.id");
  CHECK(codec.read_request(R"({"model":"m","input":[{"type":"item_reference","id":"msg_1"}]})")
            .has_value());
}

}  // namespace made_up_id_test
