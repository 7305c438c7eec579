#include "llm/property_names.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "client_request.hpp"
#include "provider_world.hpp"
#include "understudy/llm/fit.hpp"

namespace property_names_test {

using namespace understudy;
using namespace understudy::llm;
using understudy::llm::detail::KeyRenamer;
using understudy::llm::detail::PropertyNames;
using understudy::llm::detail::PropertyRule;

namespace {

const PropertyRule anthropics{64, "_.-"};

const std::string schema =
    R"({ "type": "object", "properties": {"file path": {"type":"string"}, "file_path":{"type":"string"},)"
    R"( "a.b-c": {"type":"object","properties":{"größe":{"const":"file path"}},"required":["größe"]},)"
    R"( "$ref": {"type":"string"}}, "required": ["file path","a.b-c"], "default": {"file path": 1},)"
    R"("$defs":{"x":{"properties":{"in items[]":{}}}}})";

std::string restored(const PropertyNames::Sent& sent, std::string_view json, std::size_t piece) {
  KeyRenamer renamer(sent.names, KeyRenamer::Direction::to_client);
  std::string out;
  for (std::size_t at = 0; at < json.size(); at += piece) {
    out += renamer.add(json.substr(at, piece));
  }
  return out.append(renamer.end());
}

}  // namespace

TEST_CASE("names that are refused are replaced in properties and in `required`, and nowhere else") {
  const auto sent = PropertyNames::of(schema, anthropics);
  REQUIRE(sent.names != nullptr);
  const auto& path = *sent.names->sent_for("file path");
  const auto& size = *sent.names->sent_for("größe");
  const auto& reference = *sent.names->sent_for("$ref");
  CHECK(path != "file_path");
  CHECK(path.starts_with("file_path_"));
  CHECK(sent.names->sent_for("a.b-c") == nullptr);
  CHECK(sent.names->sent_for("file_path") == nullptr);
  CHECK(sent.schema == R"({ "type": "object", "properties": {")" + path +
                           R"(": {"type":"string"}, "file_path":{"type":"string"},)" +
                           R"( "a.b-c": {"type":"object","properties":{")" + size +
                           R"(":{"const":"file path"}},"required":[")" + size + R"("]},)" +
                           R"( ")" + reference + R"(": {"type":"string"}}, "required": [")" + path +
                           R"(","a.b-c"], "default": {"file path": 1},)" +
                           R"("$defs":{"x":{"properties":{"in_items__":{}}}}})");
  for (const auto* const name : {"file path", "größe", "$ref", "in items[]"}) {
    CAPTURE(name);
    REQUIRE(sent.names->sent_for(name) != nullptr);
    CHECK(anthropics.accepts(*sent.names->sent_for(name)));
    CHECK(*sent.names->clients_for(*sent.names->sent_for(name)) == name);
  }
  CHECK(PropertyNames::of(schema, anthropics).schema == sent.schema);
}

TEST_CASE("nothing is renamed where every name is accepted, or where there is no rule or no JSON") {
  CHECK(PropertyNames::of(R"({"properties":{"a.b":{},"c-d":{}}})", anthropics).names == nullptr);
  CHECK(PropertyNames::of(schema, PropertyRule()).names == nullptr);
  CHECK(PropertyNames::of(R"({"properties":{"a b":{})", anthropics).names == nullptr);
  CHECK(PropertyNames::of("", anthropics).names == nullptr);
}

TEST_CASE("two names that differ only in what is refused stay two names") {
  const auto sent =
      PropertyNames::of(R"({"properties":{"a b":{},"a/b":{},"a_b":{},"":{}}})", anthropics);
  REQUIRE(sent.names != nullptr);
  CHECK(*sent.names->sent_for("a b") != *sent.names->sent_for("a/b"));
  CHECK(*sent.names->sent_for("a b") != "a_b");
  CHECK(anthropics.accepts(*sent.names->sent_for("")));
  const std::string longer(80, 'x');
  const auto cut = PropertyNames::of(
      R"({"properties":{")" + longer + R"(1":{},")" + longer + R"(2":{}}})", anthropics);
  CHECK(*cut.names->sent_for(longer + "1") != *cut.names->sent_for(longer + "2"));
}

TEST_CASE("arguments have the client's names again, however they are cut") {
  const auto sent = PropertyNames::of(schema, anthropics);
  const std::string clients =
      R"({"file path" : "a \"file path\": {b", "list":[{"größe":"}"},"file path",["x"]], "other":{"file path":1},"\u0066oo":2})";
  const auto to_provider = sent.names->arguments_sent(clients);
  CHECK(to_provider.find("größe") == std::string::npos);
  CHECK(to_provider.find(R"(["x"]])") != std::string::npos);
  for (std::size_t piece = 1; piece < to_provider.size() + 1; ++piece) {
    CAPTURE(piece);
    CHECK(restored(sent, to_provider, piece) == clients);
  }
  // A key may be written with escapes.
  const auto& path = *sent.names->sent_for("file path");
  CHECK(restored(sent, R"({"\u0066)" + path.substr(1) + R"(":1})", 3) == R"({"file path":1})");
}

TEST_CASE("arguments that are not JSON, or nested deeply, pass as they are") {
  const auto sent = PropertyNames::of(schema, anthropics);
  const auto& path = *sent.names->sent_for("file path");
  for (const auto& text :
       {std::string("]]}{{\"\\"), "{\"" + path, std::string("{\"a\\"), std::string("\x00\xff{", 3),
        std::string(3000, '[') + "{\"" + path + "\":1}",
        "{\"" + std::string(5000, 'k') + "\":1}"}) {
    CHECK(restored(sent, text, 1) == text);
    CHECK(restored(sent, text, 7) == text);
  }
}

TEST_CASE("the cost is linear in the schema and in the arguments") {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const auto took = [](std::size_t properties) {
    std::string text = R"({"properties":{)";
    std::string arguments = "{";
    for (std::size_t i = 0; i < properties; ++i) {
      const auto name = "\"a b " + std::to_string(i) + "\":";
      text.append(i == 0 ? "" : ",").append(name).append("{}");
      arguments.append(i == 0 ? "" : ",").append(name).append("1");
    }
    const auto began = std::chrono::steady_clock::now();
    const auto sent = PropertyNames::of(text + "}}", anthropics);
    const auto there = sent.names->arguments_sent(arguments + "}");
    CHECK(restored(sent, there, 5) == arguments + "}");
    return Milliseconds(std::chrono::steady_clock::now() - began).count();
  };
  took(2'000);
  const auto once = took(5'000);
  const auto ten_times = took(50'000);
  CHECK(ten_times < 40 * once + 50);
}

TEST_CASE("a Chat client's tool at Anthropic: schema, history and the call that comes back") {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"Hi"},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"read",)"
      R"("arguments":"{\"file path\":\"/a\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"x"}],)"
      R"("tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object",)"
      R"("properties":{"file path":{"type":"string"}},"required":["file path"]}}}]})";
  const auto request = client_request(Protocol::openai_chat, body);
  FitTarget target(Protocol::anthropic_messages, "anthropic", "claude-opus-4-7");
  target.back_end = Catalog::built_in().back_end("anthropic", Protocol::anthropic_messages);
  const auto fitted = fit(request, target);
  CHECK(fitted.body.find("file path") == std::string::npos);
  CHECK(fitted.body.find(
            R"("properties":{"file_path":{"type":"string"}},"required":["file_path"])") !=
        std::string::npos);
  CHECK(fitted.body.find(R"("input":{"file_path":"/a"})") != std::string::npos);
  REQUIRE(fitted.tools.find("read") != nullptr);

  for (const bool streamed : {true, false}) {
    CAPTURE(streamed);
    provider_test::World world;
    auto& server = world.add(Protocol::anthropic_messages, streamed);
    world.providers.clear();
    world.providers.emplace_back(*world.client,
                                 HttpProviderOptions("a", Protocol::anthropic_messages,
                                                     parse_url(world.chain[0].base_url()).value())
                                     .with_stream(streamed)
                                     .with_back_end(target.back_end));
    server.reply(
        testing::Reply::answer("").call("toolu_1", "read", R"({"file_path":"/b c","n":[1]})"));
    const auto told = world.ask(request);
    provider_test::require_answer(told);
    const auto call = std::find_if(
        told.answer->blocks.begin(), told.answer->blocks.end(),
        [](const AnswerBlock& block) { return block.kind == AnswerBlock::Kind::tool_call; });
    REQUIRE(call != told.answer->blocks.end());
    CHECK(call->arguments == R"({"file path":"/b c","n":[1]})");
  }
}

}  // namespace property_names_test
