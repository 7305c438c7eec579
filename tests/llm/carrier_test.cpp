#include "understudy/llm/carrier.hpp"

#include <doctest/doctest.h>

#include "../../lib/llm/carrier_edits.hpp"
#include "../../lib/text/base64.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/translate.hpp"

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

}  // namespace

TEST_CASE("what is written is read, the original as it is") {
  Carrier carrier;
  carrier.maker = "anthropic";
  carrier.provider = "pro\"vider";
  carrier.model = "claude-ü";
  carrier.account = std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
  for (const auto kind : {CarrierKind::signature, CarrierKind::redacted, CarrierKind::encrypted,
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
  const auto opened = llm::detail::with_carriers_opened(sent, ReasoningOrigin("deepseek", "other"));
  REQUIRE(opened);
  CHECK(*opened == R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
                   R"({"role":"assistant","content":[{"type":"thinking","thinking":"t"})" +
                       text_block + R"(]},{"role":"user","content":"r"}]})");
}

TEST_CASE("a carried signature is restored for its maker") {
  auto carrier = unsigned_of("anthropic");
  carrier.kind = CarrierKind::signature;
  carrier.original = "EqQB/+==";
  const auto opened = llm::detail::with_carriers_opened(body(text_of(carrier), text_block),
                                                        ReasoningOrigin("anthropic", "m"));
  CHECK(opened == body("EqQB/+==", text_block));
}

TEST_CASE("carried thinking is removed for everyone else, and a message that has nothing else") {
  const auto carried = text_of(unsigned_of("deepseek"));
  for (const auto& signature : {carried, std::string("us1.broken"), std::string("us1.e30.x")}) {
    CAPTURE(signature);
    const ReasoningOrigin other("anthropic", "m");
    CHECK(llm::detail::with_carriers_opened(body(signature, text_block), other) ==
          R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
          R"({"role":"assistant","content":[{"type":"text","text":"a"}]},)"
          R"({"role":"user","content":"r"}]})");
    CHECK(llm::detail::with_carriers_opened(body(signature), other) ==
          R"({"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"q"},)"
          R"({"role":"user","content":"r"}]})");
  }
}

TEST_CASE("a sealed item of Responses is removed for everyone else") {
  CHECK(llm::detail::with_carriers_opened(
            R"({"input":[{"type":"reasoning","encrypted_content":"us1.x.y"},{"role":"user"}]})",
            ReasoningOrigin("openai", "m")) == R"({"input":[{"role":"user"}]})");
}

TEST_CASE("a body without carriers is not touched") {
  const ReasoningOrigin to("p", "m");
  CHECK_FALSE(llm::detail::with_carriers_opened(body("EqQB", text_block), to));
  CHECK_FALSE(llm::detail::with_carriers_opened("{", to));
  CHECK_FALSE(llm::detail::with_carriers_opened(R"({"messages":[{"content":"\"us1.x"}]})", to));
  CHECK_FALSE(llm::detail::with_carriers_opened(R"({"messages":"us1.)", to));
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
