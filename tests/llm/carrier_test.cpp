#include "understudy/llm/carrier.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "../../lib/llm/carrier_edits.hpp"
#include "../../lib/text/base64.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/translate.hpp"
#include "understudy/text/json_writer.hpp"

namespace carrier_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

Carrier unsigned_of(const std::string& provider) {
  Carrier carrier;
  carrier.provider = provider;
  carrier.model = "m";
  carrier.kind = CarrierKind::unsigned_thinking;
  return carrier;
}

std::string text_of(const Carrier& carrier) {
  const auto text = write_carrier(carrier);
  REQUIRE(text);
  return *text;
}

std::string with_header(std::string_view header, std::string_view original = "x") {
  return "us1." + text::base64url_encoded(header) + "." + std::string(original);
}

std::string body(const std::string& signature, const std::string& after = "") {
  return R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
         R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":")" +
         signature + "\"}" + after + "]},{\"role\":\"user\",\"content\":\"r\"}]}";
}

const std::string text_block = R"(, {"type":"text","text":"a"})";

/// The body as the member gets it, which is the client's home; nothing if it gets the client's bytes.
std::optional<std::string> opened_for(std::string_view sent, ReasoningOrigin to,
                                      Protocol protocol = Protocol::anthropic_messages) {
  to.home = true;
  auto opened = llm::detail::with_carriers_opened(sent, protocol, to);
  return opened ? std::optional(std::move(opened->body)) : std::nullopt;
}

ReasoningOrigin anthropic(bool home) {
  ReasoningOrigin origin("anthropic", "claude-opus-4-7");
  origin.maker = "anthropic";
  origin.home = home;
  return origin;
}

std::string carried(CarrierKind kind, const ReasoningOrigin& by, std::string_view original) {
  return text_of(Carrier(kind, by, original));
}

}  // namespace

TEST_CASE("what is written is read, the original as it is") {
  Carrier carrier;
  carrier.maker = "anthropic";
  carrier.provider = "pro\"vider";
  carrier.model = "claude-ü";
  carrier.account = std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
  for (const auto kind : {CarrierKind::signature, CarrierKind::thinking, CarrierKind::redacted,
                          CarrierKind::encrypted, CarrierKind::detail, CarrierKind::call_signature,
                          CarrierKind::unsigned_thinking}) {
    for (const std::string& original :
         {std::string(), std::string("EqQB.x.y=="), std::string(longest_original, '.')}) {
      carrier.kind = kind;
      carrier.original = original;
      const auto text = text_of(carrier);
      CHECK(is_carrier(text));
      CHECK(text.ends_with("." + original));
      CHECK(read_carrier(text).carrier == carrier);
    }
  }
}

TEST_CASE("what exceeds its bounds is not written") {
  Carrier carrier;
  carrier.original = std::string(longest_original + 1, 'x');
  CHECK_FALSE(write_carrier(carrier));
  carrier = Carrier();
  carrier.model = std::string(longest_carrier_name + 1, 'x');
  CHECK_FALSE(write_carrier(carrier));
  carrier.model = "\xFF";
  CHECK_FALSE(write_carrier(carrier));
  carrier = Carrier();
  carrier.account = "short";
  CHECK_FALSE(write_carrier(carrier));
}

TEST_CASE("what a client may send instead of a carrier is refused, with a reason") {
  CHECK(read_carrier("EqQB").why == std::string("the text is not a carrier"));
  CHECK(read_carrier("us2.e30.x").why == std::string("the version is unknown"));
  CHECK(read_carrier("us1.e30").why == std::string("the header has no end"));
  CHECK(read_carrier("us1.!.x").why == std::string("the header is not a JSON object"));
  CHECK(read_carrier(with_header("[]")).why == std::string("the header is not a JSON object"));
  CHECK(read_carrier(with_header("{}")).why == std::string("the header has no kind"));
  CHECK(read_carrier(with_header(R"({"kind":"new"})")).why == std::string("the kind is unknown"));
  CHECK(read_carrier(with_header(R"({"kind":"signature"})", std::string(longest_original + 1, 'x')))
            .why == std::string("the original is too long"));
  CHECK(
      read_carrier(with_header(R"({"kind":"signature","model":")" + std::string(300, 'x') + "\"}"))
          .why == std::string("a member of the header is too long"));
  CHECK(read_carrier(with_header(R"({"kind":"signature","account":"AAAA"})")).why != nullptr);
  CHECK(read_carrier("us1." + std::string(1'000'000, 'A')).why != nullptr);
  CHECK(read_carrier(with_header(std::string(5000, '['))).why != nullptr);
  // A member that a later version adds is ignored.
  CHECK(read_carrier(with_header(R"({"kind":"signature","new":[1]})")).carrier);
  CHECK_FALSE(is_carrier("us.x"));
  CHECK_FALSE(is_carrier("us1"));
  CHECK(is_carrier("us12.x"));
}

TEST_CASE("thinking without signature goes back to its maker without signature, byte for byte") {
  const auto sent = body(text_of(unsigned_of("deepseek")), text_block);
  const auto opened = opened_for(sent, ReasoningOrigin("deepseek", "other"));
  REQUIRE(opened);
  CHECK(*opened == R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
                   R"({"role":"assistant","content":[{"type":"thinking","thinking":"t"})" +
                       text_block + R"(]},{"role":"user","content":"r"}]})");
}

TEST_CASE("a carried signature is restored for its maker") {
  auto carrier = unsigned_of("anthropic");
  carrier.kind = CarrierKind::signature;
  carrier.original = "EqQB/+==";
  const auto opened =
      opened_for(body(text_of(carrier), text_block), ReasoningOrigin("anthropic", "m"));
  CHECK(opened == body("EqQB/+==", text_block));
}

TEST_CASE("carried thinking is removed for everyone else, and a message that has nothing else") {
  const auto carried = text_of(unsigned_of("deepseek"));
  for (const auto& signature : {carried, std::string("us1.broken"), std::string("us1.e30.x")}) {
    CAPTURE(signature);
    const ReasoningOrigin other("anthropic", "m");
    CHECK(opened_for(body(signature, text_block), other) ==
          R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
          R"({"role":"assistant","content":[{"type":"text","text":"a"}]},)"
          R"({"role":"user","content":"r"}]})");
    CHECK(opened_for(body(signature), other) ==
          R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
          R"({"role":"user","content":"r"}]})");
  }
}

TEST_CASE("a sealed item of Responses is removed for everyone else") {
  CHECK(opened_for(
            R"({"input":[{"type":"reasoning","encrypted_content":"us1.x.y"},{"role":"user"}]})",
            ReasoningOrigin("openai", "m"),
            Protocol::openai_responses) == R"({"input":[{"role":"user"}]})");
}

TEST_CASE("a body without carriers is not touched") {
  const ReasoningOrigin to("p", "m");
  CHECK_FALSE(opened_for(body("EqQB", text_block), to));
  CHECK_FALSE(opened_for("{", to));
  CHECK_FALSE(opened_for(R"({"messages":[{"content":"\"us1.x"}]})", to));
  CHECK_FALSE(opened_for(R"({"messages":"us1.)", to));
}

TEST_CASE("translated, a carrier is the reasoning of its maker and of no other provider") {
  const auto& codec = codec_for(Protocol::anthropic_messages);
  const auto request = codec.read_request(body(text_of(unsigned_of("deepseek")), text_block));
  REQUIRE(request.has_value());
  const auto sent_to = [&](const std::string& provider) {
    const auto translated =
        translate(*request, TranslationTarget(Protocol::anthropic_messages, provider, "x"));
    std::string out;
    codec.write_request(translated.request, out);
    return out;
  };
  CHECK(sent_to("deepseek").find(R"({"type":"thinking","thinking":"t"})") != std::string::npos);
  CHECK(sent_to("anthropic").find("thinking") == std::string::npos);
  const auto broken = codec.read_request(body("us1.broken", text_block));
  REQUIRE(broken.has_value());
  const auto translated =
      translate(*broken, TranslationTarget(Protocol::anthropic_messages, "deepseek", "x"));
  std::string out;
  codec.write_request(translated.request, out);
  CHECK(out.find("us1") == std::string::npos);
}

TEST_CASE(
    "a seal that is in no carrier stays with the client's home, and no other member gets it") {
  const auto sent = body("EqQB", text_block);
  CHECK_FALSE(
      llm::detail::with_carriers_opened(sent, Protocol::anthropic_messages, anthropic(true)));
  const auto opened = llm::detail::with_carriers_opened(sent, Protocol::anthropic_messages,
                                                        ReasoningOrigin("zai", "glm"));
  REQUIRE(opened);
  CHECK(opened->body.find("EqQB") == std::string::npos);
  CHECK(opened->removed == 1);
  CHECK(opened->restored == 0);
  const std::string redacted =
      R"({"messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"x"}, {"type":"text","text":"a"}]}]})";
  CHECK_FALSE(
      llm::detail::with_carriers_opened(redacted, Protocol::anthropic_messages, anthropic(true)));
  CHECK(llm::detail::with_carriers_opened(redacted, Protocol::anthropic_messages,
                                          ReasoningOrigin("zai", "glm"))
            ->body ==
        R"({"messages":[{"role":"assistant","content":[{"type":"text","text":"a"}]}]})");
}

TEST_CASE("every host of Anthropic's models gets the thinking of the others") {
  const auto sent = body(carried(CarrierKind::signature, anthropic(false), "EqQB"), text_block);
  auto vertex = ReasoningOrigin("vertex", "claude-opus-4-7@20260101");
  CHECK(opened_for(sent, vertex)->find("EqQB") == std::string::npos);
  vertex.maker = "anthropic";
  CHECK(opened_for(sent, vertex) == body("EqQB", text_block));
}

TEST_CASE("thinking that was cut off before its signature is not sent to a maker that signs") {
  const auto cut = carried(CarrierKind::unsigned_thinking, anthropic(true), "");
  CHECK(opened_for(body(cut, text_block), anthropic(true))->find("thinking") == std::string::npos);
  CHECK(opened_for(body("", text_block), anthropic(true))->find("thinking") == std::string::npos);
  CHECK_FALSE(opened_for(body("", text_block), ReasoningOrigin("deepseek", "m")));
}

TEST_CASE("redacted thinking comes back as it was, also from a client that knows none") {
  const auto sent = body(carried(CarrierKind::redacted, anthropic(false), "Er/x"), text_block);
  CHECK(opened_for(sent, anthropic(false))->find(R"({"type":"redacted_thinking","data":"Er/x"})") !=
        std::string::npos);
}

TEST_CASE("reasoning that is sealed for an account is restored for that account alone") {
  ReasoningOrigin first("codex", "gpt-5.6-sol");
  first.account = std::string(16, 'a');
  auto second = first;
  second.account = std::string(16, 'b');
  const auto sent =
      R"({"input":[{"type":"reasoning","summary":[],"encrypted_content":")" +
      carried(CarrierKind::encrypted, first, "gAAA") +
      R"("},{"type":"message","role":"assistant","id":"msg_1","content":"a"},)" +
      R"({"role":"user","content":"q"},{"type":"message","role":"assistant","id":"msg_2"}]})";
  CHECK(opened_for(sent, first, Protocol::openai_responses) ==
        R"({"input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAA"},)"
        R"({"type":"message","role":"assistant","id":"msg_1","content":"a"},)"
        R"({"role":"user","content":"q"},{"type":"message","role":"assistant","id":"msg_2"}]})");
  // What the reasoning led to forgets whose it was, up to the next message of the user.
  CHECK(opened_for(sent, second, Protocol::openai_responses) ==
        R"({"input":[{"type":"message","role":"assistant","content":"a"},)"
        R"({"role":"user","content":"q"},{"type":"message","role":"assistant","id":"msg_2"}]})");
}

TEST_CASE("a carrier whose original is not what its kind says is no reasoning of any member") {
  const auto& codec = codec_for(Protocol::openai_responses);
  for (const std::string original : {"{", R"({"type":"text"})", R"(], "x": [)", "7"}) {
    CAPTURE(original);
    const auto seal = carried(CarrierKind::thinking, anthropic(false), original);
    std::string quoted;
    JsonWriter(quoted).value(seal);
    const auto request = codec.read_request(
        R"({"model":"m","input":[{"role":"user","content":"q"},{"type":"reasoning","summary":[],"encrypted_content":)" +
        quoted + R"(},{"role":"user","content":"r"}]})");
    REQUIRE(request.has_value());
    TranslationTarget target(Protocol::anthropic_messages, "anthropic", "claude-opus-4-7");
    target.maker = "anthropic";
    std::string out;
    codec_for(Protocol::anthropic_messages).write_request(translate(*request, target).request, out);
    CHECK(out.find("us1") == std::string::npos);
    CHECK(out.find("assistant") == std::string::npos);
  }
}

}  // namespace carrier_test
