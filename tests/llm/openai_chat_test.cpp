#include <doctest/doctest.h>

#include "stream_fixtures.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace openai_chat_test {

using namespace understudy;
using namespace understudy::llm;
using stream_fixtures::decode;

namespace {

using Events = std::vector<std::string>;

/// Each as one `data:` line.
stream_fixtures::Decoded stream(const std::vector<std::string>& payloads) {
  std::string bytes;
  for (const auto& payload : payloads) {
    bytes += "data: " + payload + "\n\n";
  }
  return decode(Protocol::openai_chat, {bytes});
}

std::string delta(const std::string& members) {
  return R"({"id":"c","model":"m","choices":[{"index":0,"delta":{)" + members + "}}]}";
}

std::string finish(const std::string& reason) {
  return R"({"choices":[{"delta":{},"finish_reason":")" + reason + "\"}]}";
}

/// What one delta says, after a start.
Events said(const std::string& members) {
  auto events = stream({delta(R"("role":"assistant")"), delta(members)}).events;
  events.erase(events.begin());
  return events;
}

}  // namespace

TEST_CASE("reasoning is taken from whichever field has it, once") {
  CHECK(said(R"("reasoning_content":"a","content":null)") == Events{"reasoning 0 a"});
  CHECK(said(R"("reasoning":"a")") == Events{"reasoning 0 a"});
  CHECK(said(R"("reasoning_text":"a")") == Events{"reasoning 0 a"});
  CHECK(said(R"("reasoning":"a","reasoning_content":"a")") == Events{"reasoning 0 a"});
  CHECK(
      said(
          R"("reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","signature":"s"}])") ==
      Events{"reasoning 0 a", "seal 0 0 s "});
  CHECK(
      said(
          R"("reasoning_details":[{"type":"reasoning.summary","summary":"a"},{"type":"reasoning.encrypted","data":"d","id":"r1"}])") ==
      Events{"reasoning 0 a", "seal 0 2 d r1"});
  CHECK(
      said(
          R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},{"type":"text","text":"b"}])") ==
      Events{"reasoning 0 a", "text 1 b"});
}

TEST_CASE("content as a list: Databricks' reasoning, with its signature") {
  const auto decoded = stream(
      {delta(R"("role":"assistant","content":"")"),
       delta(
           R"("content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Look it","signature":""}]}])"),
       delta(
           R"("content":[{"type":"reasoning","summary":[{"type":"summary_text","text":" up.","signature":"c2VhbGVk"}]}])"),
       delta(R"("content":[{"type":"text","text":"Nineteen."}])"), finish("stop")});
  CHECK(decoded.events == Events{"start c m", "reasoning 0 Look it", "reasoning 0  up.",
                                 "seal 0 0 c2VhbGVk ", "text 1 Nineteen.", "finish stop stop "});
}

TEST_CASE("an answer's error is read beside its choices, and inside of one") {
  CHECK(
      stream(
          {delta(R"("content":"a")"),
           R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"upstream"}}]})"})
          .events.back() == "error  502 upstream");
  CHECK(stream({delta(R"("content":"a")"),
                R"({"choices":null,"error_type":"ServerError","error_message":"worker lost"})"})
            .events.back() == "error ServerError  worker lost");
  CHECK(stream({R"({"choices":[{"delta":{"content":"a"}}],"error_message":"lost"})"}).ending ==
        Ending::failed);
  // A wrapper's success is none.
  CHECK(stream({R"({"code":0,"message":"Success","choices":[]})"}).ending == Ending::cut);
}

TEST_CASE("what says nothing is no progress") {
  for (const std::string chunk :
       {R"({"choices":[]})", R"({"choices":null,"id":""})", R"({"choices":[{"delta":null}]})",
        R"({"id":"c","choices":[{"delta":{"role":"","content":null}}]})", R"({})",
        R"({"choices":[],"prompt_filter_results":[{}]})",
        R"({"choices":[],"usage":{"prompt_tokens":3}})"}) {
    CAPTURE(chunk);
    const auto decoded = stream({chunk, chunk});
    CHECK(decoded.progress == 0);
    CHECK(decoded.undecodable == 0);
    CHECK(decoded.ending == Ending::cut);
  }
}

TEST_CASE("llama.cpp's prompt progress counts while it advances") {
  CHECK(stream({R"({"choices":[],"prompt_progress":{"total":9,"processed":3}})",
                R"({"choices":[],"prompt_progress":{"total":9,"processed":3}})",
                R"({"choices":[],"prompt_progress":{"total":9,"processed":6}})"})
            .progress == 2);
}

TEST_CASE("calls are told apart by index, else by id, else by order") {
  const auto calls = [](const std::vector<std::string>& lists) {
    std::vector<std::string> payloads;
    for (const auto& list : lists) {
      payloads.push_back(delta("\"tool_calls\":[" + list + "]"));
    }
    payloads.push_back(finish("tool_calls"));
    return stream(payloads);
  };
  struct Case {
    std::vector<std::string> lists;
    std::vector<std::string> arguments;
  };
  const Case cases[] = {
      // alternating fragments
      {{R"({"index":0,"id":"a","function":{"name":"f","arguments":""}})",
        R"({"index":1,"id":"b","function":{"name":"g","arguments":"{"}})",
        R"({"index":0,"function":{"arguments":"{}"}})",
        R"({"index":1,"function":{"arguments":"}"}})"},
       {"{}", "{}"}},
      // the id repeated, the name empty
      {{R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})",
        R"({"index":0,"id":"a","function":{"name":"","arguments":"}"}})"},
       {"{}"}},
      // no index, whole calls, several in one delta
      {{R"({"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"f","arguments":"{\"x\":1}"}})"},
       {"{}", "{\"x\":1}"}},
      // no index, fragments
      {{R"({"id":"a","function":{"name":"f","arguments":"{"}})",
        R"({"function":{"arguments":"}"}})"},
       {"{}"}},
      // one index for all
      {{R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})",
        R"({"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":1}"}})"},
       {"{}", "{\"x\":1}"}},
      // arguments as an object
      {{R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x": [1]}}})"},
       {"{\"x\": [1]}"}},
  };
  for (const auto& [lists, arguments] : cases) {
    CAPTURE(lists.front());
    const auto decoded = calls(lists);
    CHECK(decoded.arguments == arguments);
    CHECK(decoded.events.back() == "finish tool_use tool_calls ");
    std::size_t complete = 0;
    for (const auto& event : decoded.events) {
      complete += event.starts_with("call end") && event.ends_with("complete") ? 1 : 0;
    }
    CHECK(complete == arguments.size());
  }
  CHECK(stream({delta(R"("function_call":{"name":"f","arguments":"{}"})"), finish("function_call")})
            .arguments == std::vector<std::string>{"{}"});
}

TEST_CASE("a call that was cut is not complete") {
  const auto call =
      delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}])");
  const auto events = stream({call, finish("length")}).events;
  CHECK(events[events.size() - 2] == "call end 0 cut");
  for (const auto reason : {"tool_calls", "stop"}) {
    const auto broken = stream({call, finish(reason)});
    CHECK(broken.events[broken.events.size() - 2] == "undecodable");
    CHECK(broken.ending == Ending::failed);
  }
}

TEST_CASE("finish reasons") {
  struct Case {
    std::string reason;
    std::string last;
  };
  const Case cases[] = {
      {"stop", "finish stop stop "},
      {"end", "finish stop end "},
      {"length", "finish length length "},
      {"model_length", "finish length model_length "},
      {"content_filter", "finish refusal content_filter "},
      {"sensitive", "finish refusal sensitive "},
      {"novel", "finish other novel "},
      {"error", R"(error error  the provider ended the answer with "error")"},
      {"abort", R"(error abort  the provider ended the answer with "abort")"},
      {"insufficient_system_resource",
       R"(error insufficient_system_resource  the provider ended the answer with "insufficient_system_resource")"},
  };
  for (const auto& [reason, last] : cases) {
    CHECK(stream({delta(R"("content":"x")"), finish(reason)}).events.back() == last);
  }
  CHECK(stream({delta(R"("refusal":"no")"), finish("stop")}).events.back() ==
        "finish refusal stop ");
  CHECK(stream({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}])"),
                finish("stop")})
            .events.back() == "finish tool_use stop ");
}

TEST_CASE("terminals") {
  const auto text = delta(R"("content":"x")");
  CHECK(stream({text, "[DONE]"}).ending == Ending::cut);
  CHECK(stream({text, finish("stop")}).ending == Ending::complete);
  CHECK(stream({text, finish("stop"), "[DONE]"}).events.back() == "end");
  CHECK(stream({text, finish(""), " [DONE]"}).ending == Ending::complete);
  CHECK(stream({text, R"({"error":"boom"})", "[DONE]"}).ending == Ending::failed);
  // OpenRouter: an error beside choices
  const auto both = stream(
      {text,
       R"({"error":{"code":"server_error","message":"down"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]})"});
  CHECK(both.events.back() == "error  server_error down");
  CHECK(both.ending == Ending::failed);
  // MiniMax: an error with status 200
  CHECK(
      stream({R"({"base_resp":{"status_code":1004,"status_msg":"who"},"choices":null})"}).ending ==
      Ending::failed);
  CHECK(
      stream(
          {R"({"base_resp":{"status_code":0,"status_msg":""},"id":"c","choices":[{"delta":{"content":"x"}}]})"})
          .ending == Ending::cut);
  CHECK(stream({R"({"object":"error","message":"m","type":"t","code":400})"}).events.back() ==
        "error t 400 m");
}

TEST_CASE("a whole answer at the end of a stream is not said twice") {
  const auto decoded = stream(
      {delta(R"("content":"x")"),
       R"({"object":"chat.completion","choices":[{"message":{"content":"x"},"finish_reason":"stop"}]})"});
  CHECK(decoded.text == "x");
  CHECK(decoded.ending == Ending::complete);
}

TEST_CASE("usage, wherever it stands and however it counts") {
  const auto counted = [](const std::string& chunk) {
    const auto events = stream({chunk}).events;
    return events.empty() ? "" : events.back();
  };
  CHECK(
      counted(
          R"({"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}})") ==
      "usage 6 4 - 5 -");
  CHECK(counted(R"({"choices":[],"usage":{"prompt_tokens":10,"prompt_cache_hit_tokens":4}})") ==
        "usage 6 4 - - -");
  CHECK(counted(R"({"choices":[{"usage":{"prompt_tokens":1}}]})") == "usage 1 - - - -");
  CHECK(counted(R"({"x_groq":{"usage":{"prompt_tokens":1}}})") == "usage 1 - - - -");
  CHECK(
      counted(
          R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":8,"completion_tokens_details":{"reasoning_tokens":5}}})") ==
      "usage 1 - - 7 5");
  CHECK(
      counted(
          R"({"choices":[],"usage":{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":9}}})") ==
      "usage 3 9 - - -");
}

TEST_CASE("an event that cannot be read is counted and reported, and the answer has failed") {
  const auto decoded = stream(
      {delta(R"("content":"a")"), "{\"choices\":[{\"delta\":{\"content\":\"lost\"", "nonsense",
       "[1]", delta(R"("content":"bad \q escape")"), delta(R"("content":"b")"), finish("stop")});
  CHECK(decoded.undecodable == 4);
  CHECK(decoded.text == "ab");
  CHECK(decoded.ending == Ending::failed);
}

TEST_CASE("text is what the escapes mean; what is not UTF-8 is replaced") {
  CHECK(stream({delta(R"("content":"\u00fc\ud83d\udeb0\n\"\\\/")")}).text ==
        "\xC3\xBC\xF0\x9F\x9A\xB0\n\"\\/");
  CHECK(stream({delta(R"("content":"\ud83d")"), delta(R"("content":"\udeb0x")")}).text ==
        "\xF0\x9F\x9A\xB0x");
  CHECK(stream({delta(R"("content":"\ud83d")"), delta(R"("content":"x")")}).text ==
        "\xEF\xBF\xBDx");
  CHECK(stream({delta("\"content\":\"a\xFF\xE2\x82 b\"")}).text == "a\xEF\xBF\xBD\xEF\xBF\xBD b");
}

namespace {

std::string choice(int index, const std::string& rest) {
  return R"({"id":"c","choices":[{)" + rest + R"(,"index":)" + std::to_string(index) + "}]}";
}

std::string call_of(int index, const std::string& rest) {
  return choice(index, R"("delta":{"tool_calls":[{"index":0,)" + rest + "}]}");
}

}  // namespace

TEST_CASE("other choices leave no trace in the first, wherever their index stands") {
  const auto got = stream({
      call_of(0, R"("id":"c0","function":{"name":"f","arguments":"{\"x\":"})"),
      call_of(1, R"("id":"c1","function":{"name":"f","arguments":"{\"y\":"})"),
      R"({"id":"c","choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"2}"}}]}}]})",
      call_of(0, R"("function":{"arguments":"1}"})"),
      choice(0, R"("delta":{},"finish_reason":"tool_calls")"),
      choice(1, R"("delta":{},"finish_reason":"tool_calls")"),
  });
  CHECK(got.arguments == std::vector<std::string>{R"({"x":1})"});
  CHECK(got.ending == Ending::complete);
}

TEST_CASE("the finish waits for the other choices that have begun") {
  const std::vector<std::string> chunks{
      choice(0, R"("delta":{"content":"a"})"),
      choice(1, R"("delta":{"content":"b"})"),
      choice(0, R"("delta":{},"finish_reason":"stop")"),
      choice(1, R"("delta":{"content":"more"})"),
      choice(1, R"("delta":{},"finish_reason":"length")"),
  };
  const auto finished_after = [&](std::size_t count) {
    const auto got = stream({chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(count)});
    return std::any_of(got.events.begin(), got.events.end(),
                       [](const auto& one) { return one.starts_with("finish"); });
  };
  const auto last = stream({chunks.begin(), chunks.begin() + 4}).events.back();
  CHECK(last == "other choice progress");
  CHECK_FALSE(finished_after(4));
  CHECK(finished_after(5));
}

TEST_CASE("calls that share an index and have no id are apart where the one is whole") {
  const auto got = stream({
      call_of(0, R"("id":"","function":{"name":"a","arguments":"{\"x\":1}"})"),
      call_of(0, R"("id":"","function":{"name":"b","arguments":"{\"y\":2}"})"),
      choice(0, R"("delta":{},"finish_reason":"tool_calls")"),
  });
  CHECK(got.arguments == std::vector<std::string>{R"({"x":1})", R"({"y":2})"});
}

TEST_CASE("a custom call is not taken for a function's") {
  const auto got = stream({
      call_of(0, R"("id":"c","type":"custom","custom":{"name":"code","input":"print 1"})"),
      choice(0, R"("delta":{},"finish_reason":"tool_calls")"),
  });
  CHECK(got.arguments.empty());
  CHECK(got.progress > 0);
}

TEST_CASE(
    "a call without arguments is streamed with an empty object, since clients parse what they "
    "get") {
  const auto streamed = [](bool forwarded) {
    const auto encoder = codec_for(Protocol::openai_chat).encoder(Request());
    std::string out;
    encoder->write(Event(Start("i", "m")), out);
    const Event call(ToolStart(0, "call_a", "list_alarms"));
    const Event arguments(ToolArguments(0, "{}"));
    if (forwarded) {
      encoder->follow(call);
      encoder->follow(arguments);
    } else {
      encoder->write(call, out);
    }
    encoder->write(Event(ToolEnd(0, true)), out);
    return out.find(R"("arguments":"{}")") != std::string::npos;
  };
  CHECK(streamed(false));
  CHECK_FALSE(streamed(true));  // the client has them already
}

}  // namespace openai_chat_test
