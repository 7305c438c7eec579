#include "understudy/llm/model_profile.hpp"

#include <doctest/doctest.h>

namespace model_profile_test {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;

namespace {

ModelProfile known(std::string_view model) { return ModelProfiles().find("any", model); }

}  // namespace

TEST_CASE("what is not known is not claimed") {
  for (const auto* model : {"", "/", "my-own-model", "o", "o11", "o1x", "claude", "xclaude-opus-5",
                            "vendor/claude", "claude-opus-55"}) {
    CAPTURE(model);
    const auto profile = known(model);
    CHECK_FALSE(profile.context_window);
    CHECK_FALSE(profile.accepts_prefill);
    CHECK(profile.reasoning_floor == 0s);
    CHECK_FALSE(known_family(model));
  }
}

TEST_CASE("the slug rule: from the start, and to the end of a word") {
  CHECK(known("o1").reasoning_floor == 600s);
  CHECK(known("openai/o1-2024-12-17").reasoning_floor == 600s);
  CHECK(known("o3-mini").reasoning_floor == 300s);  // the longer slug, not o3
  CHECK(known("qwen3:8b").reasoning_floor == 180s);
  CHECK(known("Qwen/Qwen3-235B-A22B").reasoning_floor == 180s);
  CHECK(known("deepseek-ai/deepseek-r1").reasoning_floor == 600s);
  CHECK(known("grok-4-fast-reasoning").reasoning_floor == 300s);
  CHECK(known("grok-4-fast-non-reasoning").reasoning_floor == 180s);
  CHECK(known("grok-4-fast").reasoning_floor == 0s);
  // A dot and a dash between digits are the same; elsewhere they are not.
  CHECK(known("claude-sonnet-4-5-20250929").reasoning_floor == 180s);
  CHECK(known("claude-sonnet-4.5").reasoning_floor == 180s);
  CHECK(known("claude.sonnet.4.5").reasoning_floor == 0s);
  // Bedrock
  CHECK(known("us.anthropic.claude-opus-4-7-v1:0").reasoning_floor == 240s);
  CHECK(known("anthropic.claude-sonnet-4-20250514-v1:0").context_window == 200'000U);
  CHECK(known("global.anthropic.claude-opus-5").reasoning_floor == 240s);
  // Vertex
  CHECK(known("claude-opus-4-1@20250805").reasoning_floor == 240s);
}

TEST_CASE("every reasoning floor of the reference") {
  const auto all = [](Clock::duration floor, std::initializer_list<std::string_view> slugs) {
    for (const auto slug : slugs) {
      CAPTURE(slug);
      CHECK(known(slug).reasoning_floor == floor);
    }
  };
  all(600s, {"nemotron-3-ultra", "nemotron-3-super", "deepseek-r1", "deepseek-reasoner",
             "deepseek-flash", "deepseek-v4-flash", "deepseek-v4.1-flash", "deepseek-v4-pro", "o1",
             "o1-mini", "o1-pro", "o1-preview", "o3", "o3-pro", "claude-fable"});
  all(300s, {"nemotron-3-nano", "nemotron-3.5-lightning", "qwq-32b", "o3-mini", "o4-mini",
             "grok-4-fast-reasoning", "grok-4.20-reasoning", "grok-4.5", "grok-4.6", "ox-alpha",
             "x-preview-f-free", "inkling"});
  all(240s,
      {"claude-opus-4", "claude-opus-5", "claude-opus-4.5", "claude-opus-4.6", "claude-opus-4.8"});
  all(180s, {"qwen3", "claude-sonnet-5", "claude-sonnet-4.5", "claude-sonnet-4.6",
             "grok-4-fast-non-reasoning"});
}

TEST_CASE("prefill ends with the 4.5 family") {
  for (const auto* model : {"claude-3-5-sonnet-20241022", "claude-opus-4.1", "claude-sonnet-4.5",
                            "claude-haiku-4-5-20251001", "claude-opus-4-5"}) {
    CAPTURE(model);
    CHECK(known(model).accepts_prefill);
  }
  for (const auto* model :
       {"claude-opus-4.6", "claude-sonnet-4-6", "claude-opus-4-7", "claude-sonnet-5",
        "claude-opus-5", "claude-fable-5", "gpt-4o", "o3", "deepseek-r1"}) {
    CAPTURE(model);
    CHECK_FALSE(known(model).accepts_prefill);
  }
}

TEST_CASE("the user's entries win, the narrowest first") {
  ModelProfiles profiles;
  profiles.entry("", "qwen3").context_window = 40'960;
  profiles.entry("local", "qwen3").context_window = 32'768;
  profiles.entry("local", "qwen3-coder").accepts_prefill = true;
  CHECK(profiles.find("other", "qwen3:8b").context_window == 40'960U);
  CHECK(profiles.find("local", "qwen3:8b").context_window == 32'768U);
  CHECK(profiles.find("local", "qwen/qwen3-coder:30b").accepts_prefill);
  // An entry begins with what was known, and changes nothing else.
  CHECK(profiles.find("local", "qwen3-coder").context_window == 32'768U);
  CHECK(profiles.find("local", "qwen3:8b").reasoning_floor == 180s);
  CHECK_FALSE(profiles.find("local", "qwen3:8b").accepts_prefill);
  // The same entry again, not another.
  profiles.entry("local", "qwen3").reasoning_floor = 5s;
  CHECK(profiles.find("local", "qwen3:8b").reasoning_floor == 5s);
  CHECK(profiles.find("local", "qwen3:8b").context_window == 32'768U);
  // Copies are independent.
  auto copy = profiles;
  copy.entry("local", "qwen3").context_window = 1;
  CHECK(profiles.find("local", "qwen3").context_window == 32'768U);
  CHECK_FALSE(profiles.find("other", "llama-3.3").context_window);
}

}  // namespace model_profile_test
