#include "understudy/llm/cleaned_session.hpp"

#include <doctest/doctest.h>

#include "understudy/llm/carrier.hpp"

namespace cleaned_session_test {

using namespace understudy::llm;

namespace {

std::string carrier() {
  return *write_carrier(
      Carrier(CarrierKind::encrypted, ReasoningOrigin("codex", "gpt-5.6-sol"), "gAAA"));
}

std::string thinking(const std::string& signature) {
  return R"({"type":"thinking","thinking":"t","signature":")" + signature + "\"}";
}

}  // namespace

TEST_CASE("a Claude Code session keeps the thinking of Claude, and loses that of other makers") {
  const auto line = R"({"uuid":"u", "message":{"role":"assistant","content":[)" + thinking("EqQB") +
                    ", " + thinking(carrier()) + R"(,{"type":"text","text":"a"}]}})";
  const auto cleaned = cleaned_session_line(line);
  CHECK(cleaned.removed == 1);
  CHECK_FALSE(cleaned.dropped);
  CHECK(cleaned.text == R"({"uuid":"u", "message":{"role":"assistant","content":[)" +
                            thinking("EqQB") + R"(, {"type":"text","text":"a"}]}})");
}

TEST_CASE("a record of a Claude Code session that has nothing but such thinking keeps its place") {
  const auto cleaned =
      cleaned_session_line(R"({"uuid":"u","message":{"content":[)" + thinking(carrier()) + "]}}");
  CHECK(cleaned.removed == 1);
  CHECK(cleaned.text == R"({"uuid":"u","message":{"content":[{"type":"text",)"
                        R"("text":"[reasoning of another model was removed]"}]}})");
}

TEST_CASE("a record of a Codex session that is such reasoning is dropped") {
  const auto record = [](const std::string& seal) {
    return R"({"type":"response_item","payload":{"type":"reasoning","summary":[],"encrypted_content":")" +
           seal + R"("}})";
  };
  CHECK(cleaned_session_line(record(carrier())).dropped);
  const auto own = cleaned_session_line(record("gAAA"));
  CHECK_FALSE(own.dropped);
  CHECK(own.text == record("gAAA"));
}

TEST_CASE("what is not such a session is kept") {
  for (const std::string text :
       {"", "{", "\"us1.", R"({"a":"us1.x"})", R"([[[["us1.e30.x"]]]])", "not JSON \"us1."}) {
    const auto cleaned = cleaned_session_line(text);
    CHECK(cleaned.text == text);
    CHECK(cleaned.removed == 0);
  }
  const std::string deep(100'000, '[');
  CHECK(cleaned_session_line(deep + "\"us1.").removed == 0);
}

}  // namespace cleaned_session_test
