#include "understudy/llm/translate.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <algorithm>

#include "client_request.hpp"
#include "understudy/llm/codec.hpp"

namespace translate_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

constexpr auto anthropic = Protocol::anthropic_messages;
constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;

TranslationTarget to(Protocol protocol) { return TranslationTarget(protocol, "p", "m"); }

std::string body(const Request& request, Protocol protocol) {
  std::string out;
  codec_for(protocol).write_request(request, out);
  simdjson::dom::parser parser;
  REQUIRE_MESSAGE(parser.parse(out).error() == simdjson::SUCCESS, out);
  return out;
}

bool lost(const Translation& translation, Loss::Kind kind, std::string_view what) {
  return std::any_of(translation.losses.begin(), translation.losses.end(),
                     [&](const Loss& loss) { return loss.kind == kind && loss.what == what; });
}
bool dropped(const Translation& t, std::string_view what) {
  return lost(t, Loss::Kind::dropped, what);
}
bool changed(const Translation& t, std::string_view what) {
  return lost(t, Loss::Kind::changed, what);
}
bool added(const Translation& t, std::string_view what) { return lost(t, Loss::Kind::added, what); }

/// One row of the table: what a client says, and how a target must be told.
struct Row {
  const char* concept_name;
  Protocol from;
  const char* members;  // beside the model
  Protocol into;
  const char* wanted;
};

}  // namespace

TEST_CASE("each concept, in each protocol's words") {
  const char* const user = R"("messages":[{"role":"user","content":"hi"}])";
  const std::string call_chat =
      R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"n\":1.50}"}}]},{"role":"tool","tool_call_id":"call_1","content":"71 %"}])";
  const std::string call_anthropic =
      R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{"n":1.50}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"71 %","is_error":true}]}])";
  const std::string call_responses =
      R"("input":[{"role":"user","content":"q"},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"n\":1.50}"},{"type":"function_call_output","call_id":"call_1","output":"71 %"}])";
  const std::string image =
      R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}])";
  const std::string document =
      R"("messages":[{"role":"user","content":[{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}]}])";
  const std::string schema = R"({"type":"object"})";
  const std::string tool_chat =
      R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],)";
  const std::string format_chat =
      std::string(user) +
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"out","strict":true,"schema":{"type":"object"}}})";
  const std::string with_tool_choice = tool_chat + user;
  const auto choice = [&](const std::string& c) {
    return with_tool_choice + R"(,"tool_choice":)" + c;
  };
  const auto automatic = choice(R"("auto")");
  const auto any = choice(R"("required")");
  const auto none = choice(R"("none")");
  const auto one = choice(R"({"type":"function","function":{"name":"f"}})");
  const auto alone = with_tool_choice + R"(,"parallel_tool_calls":false)";
  const auto system = std::string(
      R"("messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}])");
  const auto said = std::string(
      R"("messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}])");
  const auto limit = std::string(user) + R"(,"max_tokens":7)";
  const auto stop = std::string(user) + R"(,"stop":["#"])";
  const auto effort = std::string(user) + R"(,"reasoning_effort":"high")";
  const auto temperature = std::string(user) + R"(,"temperature":0.5)";
  const auto end_user = std::string(user) + R"(,"user":"u")";
  const Row rows[] = {
      {"system", chat, system.c_str(), anthropic,
       R"("system":[{"type":"text","text":"Be brief."}])"},
      {"system", chat, system.c_str(), responses, R"("instructions":"Be brief.")"},
      {"system", anthropic, R"("system":"A","messages":[{"role":"user","content":"hi"}])", chat,
       R"({"role":"system","content":"A"})"},
      {"user text", chat, user, anthropic, R"("content":[{"type":"text","text":"hi"}])"},
      {"user text", chat, user, responses, R"("content":[{"type":"input_text","text":"hi"}])"},
      {"user text", responses, R"("input":"hi")", chat, R"({"role":"user","content":"hi"})"},
      {"assistant text", chat, said.c_str(), anthropic,
       R"({"role":"assistant","content":[{"type":"text","text":"b"}]})"},
      {"assistant text", chat, said.c_str(), responses,
       R"("role":"assistant","content":[{"type":"output_text","text":"b","annotations":[]}])"},
      {"image", anthropic, image.c_str(), chat,
       R"({"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}})"},
      {"image", anthropic, image.c_str(), responses,
       R"({"type":"input_image","image_url":"data:image/png;base64,aGk="})"},
      {"document", anthropic, document.c_str(), chat,
       R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="}})"},
      {"document", anthropic, document.c_str(), responses,
       R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="})"},
      {"document", responses,
       R"("input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="}]}])",
       anthropic,
       R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGk="},"title":"a.pdf"})"},
      {"tool definition", chat, with_tool_choice.c_str(), anthropic,
       R"({"name":"f","description":"d","input_schema":{"type":"object"}})"},
      {"tool definition", chat, with_tool_choice.c_str(), responses,
       R"({"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false})"},
      {"tool choice", chat, automatic.c_str(), anthropic, R"("tool_choice":{"type":"auto"})"},
      {"tool choice", chat, any.c_str(), anthropic, R"("tool_choice":{"type":"any"})"},
      {"tool choice", chat, any.c_str(), responses, R"("tool_choice":"required")"},
      {"tool choice", chat, none.c_str(), anthropic, R"("tool_choice":{"type":"none"})"},
      {"tool choice", chat, one.c_str(), anthropic, R"("tool_choice":{"type":"tool","name":"f"})"},
      {"tool choice", chat, one.c_str(), responses,
       R"("tool_choice":{"type":"function","name":"f"})"},
      {"parallel off", chat, alone.c_str(), anthropic, R"("disable_parallel_tool_use":true)"},
      {"parallel off", chat, alone.c_str(), responses, R"("parallel_tool_calls":false)"},
      {"tool call", chat, call_chat.c_str(), anthropic,
       R"({"type":"tool_use","id":"call_1","name":"f","input":{"n":1.50}})"},
      {"tool call", chat, call_chat.c_str(), responses,
       R"({"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"n\":1.50}"})"},
      {"tool call", anthropic, call_anthropic.c_str(), chat,
       R"({"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"n\":1.50}"}})"},
      {"tool call without the item's id", responses, call_responses.c_str(), chat,
       R"({"id":"call_1","type":"function","function":)"},
      {"tool result", chat, call_chat.c_str(), anthropic,
       R"({"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"71 %"}]})"},
      {"tool result", responses, call_responses.c_str(), chat,
       R"({"role":"tool","tool_call_id":"call_1","content":"71 %"})"},
      {"tool error", anthropic, call_anthropic.c_str(), chat, R"("content":"Error: 71 %")"},
      {"tool error", anthropic, call_anthropic.c_str(), responses,
       R"({"type":"function_call_output","call_id":"call_1","output":"Error: 71 %"})"},
      {"max tokens", chat, limit.c_str(), anthropic, R"("max_tokens":7)"},
      {"max tokens", chat, limit.c_str(), responses, R"("max_output_tokens":7)"},
      {"stop", chat, stop.c_str(), anthropic, R"("stop_sequences":["#"])"},
      {"temperature", chat, temperature.c_str(), anthropic, R"("temperature":0.5)"},
      {"effort", chat, effort.c_str(), anthropic, R"("output_config":{"effort":"high"})"},
      {"effort", chat, effort.c_str(), responses, R"("reasoning":{"effort":"high"})"},
      {"JSON output", chat, format_chat.c_str(), anthropic,
       R"("format":{"type":"json_schema","schema":{"type":"object"}})"},
      {"JSON output", chat, format_chat.c_str(), responses,
       R"("text":{"format":{"type":"json_schema","name":"out","schema":{"type":"object"},"strict":true}})"},
      {"user id", chat, end_user.c_str(), anthropic, R"("metadata":{"user_id":"u"})"},
      {"user id", chat, end_user.c_str(), responses, R"("safety_identifier":"u")"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.concept_name);
    const auto request = client_request(
        row.from, R"({"model":"x","max_tokens":9,)" + std::string(row.members) + "}");
    const auto out = body(translate(request, to(row.into)).request, row.into);
    CHECK_MESSAGE(out.find(row.wanted) != std::string::npos, out);
    CHECK(out.find(R"("model":"m")") != std::string::npos);
  }
}

TEST_CASE("reasoning goes to its maker alone") {
  const auto request = [](Origin origin) {
    Request made("x");
    made.messages.emplace_back(Role::user, "q");
    auto& turn = made.messages.emplace_back(Role::assistant);
    ReasoningPart thought(std::move(origin));
    thought.text = "hm";
    thought.seal = "sealed";
    turn.parts.emplace_back(std::move(thought));
    turn.parts.emplace_back(TextPart("a"));
    made.messages.emplace_back(Role::user, "q");
    return made;
  };
  const auto origin = [](Protocol protocol, const char* provider, const char* model) {
    Origin made(protocol);
    made.provider = provider;
    made.model = model;
    return made;
  };
  struct Case {
    Origin origin;
    bool kept;
  };
  const Case cases[] = {
      {origin(anthropic, "p", "m"), true},
      {origin(anthropic, "", ""), true},
      {origin(anthropic, "other", "m"), false},
      {origin(anthropic, "p", "other"), false},
      {origin(responses, "p", "m"), false},
      {origin(chat, "", ""), false},
      {Origin(), false},
  };
  for (const auto& [made, kept] : cases) {
    const auto translated = translate(request(made), to(anthropic));
    CHECK(dropped(translated, "reasoning") == !kept);
    CHECK((body(translated.request, anthropic).find("sealed") != std::string::npos) == kept);
  }
  // A message of nothing else goes with it.
  auto alone = request(Origin(responses));
  alone.messages[1].parts.pop_back();
  CHECK(translate(alone, to(anthropic)).request.messages.size() == 1);
}

TEST_CASE("items of Responses forget whose reasoning they belonged to") {
  auto request = client_request(
      responses,
      R"({"model":"x","input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"s"},{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"o"}]})");
  CHECK(body(translate(request, to(responses)).request, responses).find("fc_1") !=
        std::string::npos);
  std::get<ReasoningPart>(request.messages[0].parts[0]).origin.provider = "other";
  const auto out = body(translate(request, to(responses)).request, responses);
  CHECK(out.find("fc_1") == std::string::npos);
  CHECK(out.find("rs_1") == std::string::npos);
}

TEST_CASE("tool ids are kept where the target takes them, else rewritten, never two into one") {
  const auto ids = [](const std::vector<std::string>& given, const TranslationTarget& target) {
    Request request("x");
    request.messages.reserve(3);
    request.messages.emplace_back(Role::user, "q");
    auto& turn = request.messages.emplace_back(Role::assistant);
    auto& results = request.messages.emplace_back(Role::user);
    for (const auto& id : given) {
      turn.parts.emplace_back(ToolCallPart(id, "f", "{}"));
      results.parts.emplace_back(ToolResultPart(id, "result of " + id));
    }
    const auto translated = translate(request, target);
    std::vector<std::string> got;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto& call = std::get<ToolCallPart>(translated.request.messages[1].parts.at(i));
      const auto& result = std::get<ToolResultPart>(translated.request.messages[2].parts.at(i));
      CHECK(call.id == result.call_id);
      CHECK(std::get<TextPart>(result.content.at(0)).text == "result of " + given[i]);
      got.push_back(call.id);
    }
    CHECK(changed(translated, "tool ids") == (got != given));
    auto sorted = got;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    return got;
  };
  using Ids = std::vector<std::string>;
  CHECK(ids({"toolu_01Abc", "call-2"}, to(anthropic)) == Ids{"toolu_01Abc", "call-2"});
  CHECK(ids({"functions.f:0"}, to(anthropic)) == Ids{"functions_f_0"});
  CHECK(ids({"a.b", "a_b", "a:b"}, to(anthropic))[1] == "a_b");
  CHECK(ids({"a", "a", ""}, to(chat)).size() == 3);
  const std::string long_id(50, 'x');
  CHECK(ids({long_id + "1", long_id + "2"}, to(chat))[0].size() == 40);
  CHECK(ids({long_id}, to(responses)) == Ids{long_id});
  const auto mistral =
      ids({"call_1", "call_2", "abcdefgh9"}, TranslationTarget(chat, "mistral", "mistral-large"));
  CHECK(mistral[2] == "abcdefgh9");
  CHECK(mistral[0].size() == 9);
  CHECK(mistral[0].find('_') == std::string::npos);
}

TEST_CASE("every call has its result, in the message that follows; no result is without a call") {
  Request request("x");
  request.messages.emplace_back(Role::user, "q");
  request.messages.emplace_back(Role::assistant).parts.emplace_back(ToolCallPart("a", "f", "{}"));
  request.messages.back().parts.emplace_back(ToolCallPart("b", "f", "{}"));
  request.messages.emplace_back(Role::user, "wait");
  request.messages.emplace_back(Role::user).parts.emplace_back(ToolResultPart("b", "late"));
  request.messages.back().parts.emplace_back(ToolResultPart("stray", "?"));
  const auto translated = translate(request, to(anthropic));
  const auto& messages = translated.request.messages;
  REQUIRE(messages.size() == 3);
  const auto& first = std::get<ToolResultPart>(messages[2].parts.at(0));
  CHECK(first.call_id == "a");
  CHECK(first.is_error);
  CHECK(std::get<TextPart>(first.content.at(0)).text == "no result: interrupted");
  CHECK(std::get<ToolResultPart>(messages[2].parts.at(1)).call_id == "b");
  CHECK(std::get<TextPart>(messages[2].parts.at(2)).text == "wait");
  CHECK(added(translated, "result of an interrupted tool call"));
  CHECK(dropped(translated, "tool result without a call"));
}

TEST_CASE("arguments that are no object are told in the result, where the target wants an object") {
  Request request("x");
  request.messages.emplace_back(Role::user, "q");
  request.messages.emplace_back(Role::assistant).parts.emplace_back(ToolCallPart("a", "f", "{\"x"));
  request.messages.emplace_back(Role::user).parts.emplace_back(ToolResultPart("a", "bad"));
  const auto translated = translate(request, to(anthropic));
  CHECK(changed(translated, "arguments of f"));
  const auto out = body(translated.request, anthropic);
  CHECK(out.find(R"("input":{})") != std::string::npos);
  CHECK(out.find(R"({\"x)") != std::string::npos);
  CHECK(body(translate(request, to(chat)).request, chat).find(R"("arguments":"{\"x")") !=
        std::string::npos);
}

TEST_CASE("an image in a tool's result comes after it, where results are text") {
  Request request("x");
  request.messages.emplace_back(Role::user, "q");
  request.messages.emplace_back(Role::assistant).parts.emplace_back(ToolCallPart("a", "f", "{}"));
  ToolResultPart result("a", "seen");
  ImagePart image;
  image.url = "https://example.com/a.png";
  result.content.emplace_back(image);
  request.messages.emplace_back(Role::user).parts.emplace_back(result);
  const auto translated = translate(request, to(chat));
  CHECK(changed(translated, "image in a tool result"));
  CHECK(
      body(translated.request, chat)
          .find(
              R"("content":"seen"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]})") !=
      std::string::npos);
  CHECK(translate(request, to(responses)).losses.empty());
}

TEST_CASE("a document in a tool's result comes after it too, and is not told as text") {
  const auto request = client_request(
      anthropic,
      R"({"model":"x","max_tokens":1,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"seen"},{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}]},{"type":"text","text":"and?"}]}]})");
  const auto translated = translate(request, to(chat));
  CHECK(changed(translated, "file in a tool result"));
  const auto out = body(translated.request, chat);
  CHECK_MESSAGE(
      out.find(
          R"({"role":"tool","tool_call_id":"a","content":"seen"},{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="}},{"type":"text","text":"and?"}]})") !=
          std::string::npos,
      out);
}

TEST_CASE("a document of plain text is text, where there is no such document") {
  const auto document = [](const std::string& title) {
    return R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"71 %\nfull"})" +
           title + "}";
  };
  const auto request = client_request(
      anthropic,
      R"({"model":"x","max_tokens":1,"messages":[{"role":"user","content":[)" +
          document(R"(,"title":"Tanks")") +
          R"(,{"type":"text","text":"q"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[)" +
          document("") + "]}]}]}");
  auto translated = translate(request, to(chat));
  CHECK(changed(translated, "part document"));
  auto out = body(translated.request, chat);
  CHECK_MESSAGE(
      out.find(
          R"("content":[{"type":"text","text":"Tanks\n\n71 %\nfull"},{"type":"text","text":"q"}])") !=
          std::string::npos,
      out);
  CHECK(out.find(R"({"role":"tool","tool_call_id":"a","content":"71 %\nfull"})") !=
        std::string::npos);
  translated = translate(request, to(responses));
  out = body(translated.request, responses);
  CHECK_MESSAGE(
      out.find(R"({"type":"input_text","text":"Tanks\n\n71 %\nfull"})") != std::string::npos, out);
  CHECK(out.find(R"("output":"71 %\nfull")") != std::string::npos);
  CHECK(translate(request, to(anthropic)).losses.empty());
}

TEST_CASE("roles: neighbours merge, a system message becomes the user's, ends are mended") {
  Request request("x");
  request.messages.emplace_back(Role::assistant, "a");
  request.messages.emplace_back(Role::assistant, "b");
  request.messages.emplace_back(Role::user, "c");
  request.messages.emplace_back(Role::system, "d");
  request.messages.emplace_back(Role::user, "");
  request.messages.emplace_back(Role::assistant, "{ ");
  auto target = to(anthropic);
  auto translated = translate(request, target);
  const auto roles = [&] {
    std::string all;
    for (const auto& message : translated.request.messages) {
      all += message.role == Role::assistant ? 'a' : message.role == Role::system ? 's' : 'u';
    }
    return all;
  };
  const auto text = [&](std::size_t i) {
    return std::get<TextPart>(translated.request.messages.at(i).parts.at(0)).text;
  };
  CHECK(roles() == "uauau");
  CHECK(text(1) == "a\n\nb");
  CHECK(text(2) == "c\n\nd");
  CHECK(text(4) == "Continue exactly where your last message ends.");
  CHECK(changed(translated, "system message after the start of the conversation"));
  CHECK(changed(translated, "adjacent messages with the same role"));
  CHECK(added(translated, "first user message"));
  CHECK(changed(translated, "prefill"));
  target.accepts_prefill = true;
  translated = translate(request, target);
  CHECK(roles() == "uaua");
  CHECK(text(3) == "{");
  request.thinking.mode = Thinking::Mode::budget;
  translated = translate(request, target);
  CHECK(roles() == "uauau");
  translated = translate(request, to(responses));
  CHECK(roles() == "ausau");
  CHECK(body(translated.request, responses).find(R"("role":"developer")") != std::string::npos);
}

TEST_CASE("parameters that the target does not know, or refuses, are dropped and named") {
  Request request("x");
  request.messages.emplace_back(Role::user, "q");
  request.sampling.temperature = 1.5;
  request.sampling.top_p = 0.5;
  request.sampling.top_k = 40;
  request.sampling.seed = 1;
  request.stop = {"1", "2", "3", "4", "5", " "};
  request.max_tokens = 5;
  request.user = "u";
  request.thinking.effort = "minimal";

  auto translated = translate(request, to(anthropic));
  CHECK(changed(translated, "temperature"));
  CHECK(translated.request.sampling.temperature == 1.0);
  CHECK(dropped(translated, "seed"));
  CHECK(dropped(translated, "stop"));
  CHECK(translated.request.stop.size() == 5);
  CHECK(changed(translated, "effort"));
  CHECK(translated.request.thinking.effort == "low");
  CHECK(translated.losses.size() == 4);

  translated = translate(request, to(chat));
  CHECK(dropped(translated, "top_k"));
  CHECK(dropped(translated, "stop"));
  CHECK(translated.request.stop.size() == 4);
  CHECK(translated.losses.size() == 2);

  translated = translate(request, to(responses));
  CHECK(translated.request.stop.empty());
  CHECK(dropped(translated, "stop"));
  CHECK(dropped(translated, "seed"));
  CHECK(dropped(translated, "top_k"));
  CHECK(translated.losses.size() == 3);

  auto codex = to(responses);
  codex.refused = {"max_tokens", "temperature", "top_p", "user", "effort"};
  codex.needs_system = true;
  translated = translate(request, codex);
  for (const auto* name : {"max_tokens", "temperature", "top_p", "user", "effort"}) {
    CHECK(dropped(translated, name));
  }
  CHECK(added(translated, "system text"));
  CHECK(body(translated.request, responses).find(R"("instructions":"You)") != std::string::npos);
}

TEST_CASE("chat's output limit is called what the target takes") {
  const auto asked = client_request(chat, R"({"model":"x","max_tokens":7,"messages":[]})");
  const auto sent = [&](const TranslationTarget& target) {
    return body(translate(asked, target).request, chat);
  };
  CHECK(sent({chat, "openai", "gpt-5.4"}).find(R"("max_completion_tokens":7)") !=
        std::string::npos);
  CHECK(sent({chat, "groq", "llama-3.3"}).find(R"("max_tokens":7)") != std::string::npos);
  TranslationTarget deployment(chat, "azure", "my-deployment");
  deployment.output_limit = OutputLimit::max_completion_tokens;  // the user knows better
  CHECK(sent(deployment).find(R"("max_completion_tokens":7)") != std::string::npos);
}

TEST_CASE("thinking, from one to the other") {
  using Mode = Thinking::Mode;
  Request request("x");
  request.messages.emplace_back(Role::user, "q");
  request.max_tokens = 4096;
  request.thinking.mode = Mode::budget;
  request.thinking.budget_tokens = 2048;
  request.thinking.display = "summarized";
  request.sampling.temperature = 0.5;
  CHECK(dropped(translate(request, to(chat)), "budget_tokens"));
  CHECK(dropped(translate(request, to(chat)), "display of thinking"));
  CHECK(translate(request, to(responses)).request.thinking.display == "auto");
  CHECK(dropped(translate(request, to(anthropic)), "temperature"));
  auto adaptive = to(anthropic);
  adaptive.refused = {"budget_tokens"};
  CHECK(translate(request, adaptive).request.thinking.mode == Mode::adaptive);
  // A tool loop that was begun by another model has no thinking to show.
  request.messages.emplace_back(Role::assistant).parts.emplace_back(ToolCallPart("a", "f", "{}"));
  request.messages.emplace_back(Role::user).parts.emplace_back(ToolResultPart("a", "r"));
  CHECK(translate(request, to(anthropic)).request.thinking.mode == Mode::off);
  request.messages.erase(request.messages.begin() + 1, request.messages.end());
  request.thinking = Thinking();
  request.thinking.effort = "none";
  CHECK(translate(request, to(anthropic)).request.thinking.mode == Mode::off);
}

TEST_CASE("tools: schemas fit, strict is not claimed") {
  Request request = client_request(
      chat,
      R"({"model":"x","max_tokens":1,"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"anyOf":[{"type":"object"}],"title":"t"}}},{"type":"custom","custom":{"name":"g"}}],"tool_choice":{"type":"function","function":{"name":"g"}}})");
  auto translated = translate(request, to(anthropic));
  CHECK(changed(translated, "schema of f"));
  CHECK(translated.request.tools.at(0).schema == R"({"type":"object","title":"t"})");
  CHECK(translated.request.tools.size() == 2);
  CHECK(translated.request.tool_choice.name == "g");
  CHECK_FALSE(dropped(translated, "tool_choice"));
  request = client_request(
      anthropic,
      R"({"model":"x","max_tokens":1,"messages":[{"role":"user","content":"q"}],"tools":[{"name":"f","input_schema":{"type":"object"},"strict":true}]})");
  translated = translate(request, to(responses));
  CHECK(dropped(translated, "strict of f"));
  CHECK(body(translated.request, responses).find(R"("strict":false)") != std::string::npos);
}

TEST_CASE(
    "a call of Chat's custom tools is kept for Chat with its result, and is a function's "
    "elsewhere") {
  const auto request = client_request(
      chat,
      R"({"model":"x","max_tokens":1,"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"type":"custom","id":"a","custom":{"name":"f","input":"x = 1"}},{"type":"function","id":"b","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"of a"},{"role":"tool","tool_call_id":"b","content":"of b"}]})");
  const auto same = translate(request, to(chat));
  CHECK(same.losses.empty());
  const auto out = body(same.request, chat);
  for (const auto* kept : {R"({"type":"custom","id":"a","custom":{"name":"f","input":"x = 1"}})",
                           R"({"role":"tool","tool_call_id":"a","content":"of a"})",
                           R"({"role":"tool","tool_call_id":"b","content":"of b"})"}) {
    CHECK_MESSAGE(out.find(kept) != std::string::npos, out);
  }
  for (const auto protocol : {anthropic, responses}) {
    const auto translated = translate(request, to(protocol));
    CHECK_FALSE(dropped(translated, "tool result without a call"));
    const auto foreign = body(translated.request, protocol);
    CHECK(foreign.find("x = 1") != std::string::npos);
    CHECK(foreign.find("\"custom\"") == std::string::npos);
    CHECK(foreign.find("of a") != std::string::npos);
    CHECK(foreign.find("of b") != std::string::npos);
  }
}

TEST_CASE("what only the caller's protocol knows is named") {
  const auto request = client_request(
      anthropic,
      R"({"model":"x","max_tokens":1,"service_tier":"auto","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"document","source":{"type":"file","file_id":"f"}}]},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"text","text":"a"}]},{"role":"user","content":"q"}]})");
  const auto translated = translate(request, to(responses));
  CHECK(dropped(translated, "field service_tier"));
  CHECK(dropped(translated, "field cache_control"));
  CHECK(dropped(translated, "part document"));
  CHECK(dropped(translated, "part server_tool_use"));
  const auto out = body(translated.request, responses);
  for (const auto* gone : {"service_tier", "cache_control", "file_id", "web_search"}) {
    CHECK(out.find(gone) == std::string::npos);
  }
  // To its own protocol it goes whole.
  const auto same = translate(request, to(anthropic));
  CHECK(same.losses.empty());
  CHECK(body(same.request, anthropic).find("web_search") != std::string::npos);
}

}  // namespace translate_test
