// Tools of every form, on their way to a provider of another protocol and back.
#include "understudy/llm/tool_table.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent_requests.hpp"
#include "client_request.hpp"
#include "strict_client.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/translate.hpp"
#include "understudy/text/json_writer.hpp"

namespace tool_table_test {

using namespace understudy;
using namespace understudy::llm;
using simdjson::dom::element;

namespace {

constexpr auto anthropic = Protocol::anthropic_messages;
constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;

Translation translated(const Request& request, Protocol into) {
  return translate(request, TranslationTarget(into, "p", "m"));
}

std::string body(const Request& request, Protocol protocol) {
  std::string out;
  codec_for(protocol).write_request(request, out);
  return out;
}

std::string text_at(const element& json, std::string_view pointer) {
  return strict_client::detail::text_at(json, pointer);
}

std::vector<std::string> names_of(const Request& request) {
  std::vector<std::string> names;
  for (const auto& tool : request.tools) {
    names.push_back(tool.name);
  }
  return names;
}

bool lost(const Translation& translation, Loss::Kind kind, std::string_view what) {
  return std::any_of(translation.losses.begin(), translation.losses.end(),
                     [&](const Loss& loss) { return loss.kind == kind && loss.what == what; });
}

/// The tools of a body, by what that protocol's own provider would call them. Complains of those that are not functions
/// with a schema, or whose name the provider would refuse.
std::map<std::string, std::string> functions_in(const std::string& body, Protocol protocol) {
  const std::size_t longest = protocol == chat ? 64 : 128;
  simdjson::dom::parser parser;
  const element json = parser.parse(body);
  std::map<std::string, std::string> found;
  simdjson::dom::array tools;
  REQUIRE(json["tools"].get(tools) == simdjson::SUCCESS);
  for (const element tool : tools) {
    const std::string at = protocol == chat ? "/function" : "";
    if (protocol != anthropic) {
      CHECK(text_at(tool, "/type") == "function");
    }
    const auto name = text_at(tool, at + "/name");
    CHECK(!name.empty());
    CHECK(name.size() <= longest);
    CHECK(std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return c < 128 && ((std::isalnum(c) != 0) || c == '_' || c == '-');
    }));
    const auto schema = at + (protocol == anthropic ? "/input_schema" : "/parameters");
    CHECK(text_at(tool, schema + "/type") == "object");
    const auto [place, fresh] = found.emplace(name, text_at(tool, at + "/description"));
    CHECK_MESSAGE(fresh, "two tools are called " << name);
  }
  return found;
}

/// A call as a provider of that protocol streams it, its arguments in pieces.
std::string call_by(Protocol protocol, const std::string& name,
                    const std::vector<std::string>& pieces) {
  const auto quoted = [](const std::string& text) {
    std::string out;
    JsonWriter(out).value(text);
    return out;
  };
  std::string out;
  if (protocol == chat) {
    const auto chunk = [&](const std::string& delta, const std::string& finish) {
      out += R"(data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m",)"
             R"("choices":[{"index":0,"delta":)" +
             delta + R"(,"finish_reason":)" + finish + "}]}\n\n";
    };
    chunk(R"({"role":"assistant","content":""})", "null");
    chunk(R"({"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":)" +
              quoted(name) + R"(,"arguments":""}}]})",
          "null");
    for (const auto& piece : pieces) {
      chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":)" + quoted(piece) + "}}]}",
            "null");
    }
    chunk("{}", R"("tool_calls")");
    return out + "data: [DONE]\n\n";
  }
  const auto event = [&](const std::string& type, const std::string& members) {
    out += "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + members + "}\n\n";
  };
  event("message_start",
        R"(,"message":{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[],)"
        R"("stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}})");
  event("content_block_start",
        R"(,"index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":)" + quoted(name) +
            R"(,"input":{}})");
  for (const auto& piece : pieces) {
    event("content_block_delta",
          R"(,"index":0,"delta":{"type":"input_json_delta","partial_json":)" + quoted(piece) + "}");
  }
  event("content_block_stop", R"(,"index":0)");
  event("message_delta", R"(,"delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9})");
  event("message_stop", "");
  return out;
}

/// What the client gets: as a stream and whole, each checked by the strictest client.
struct Got {
  std::string stream;
  std::string whole;
  std::vector<std::string> items;  // minified: of added and done events, then of the whole answer
  std::string deltas;              // all of them, concatenated
};

Got answered(const Request& asked, const ToolTable& table, Protocol from, const std::string& said) {
  EventDecoder decoder(from);
  decoder.feed(said);
  const auto client = *asked.origin;
  const auto encoder = codec_for(client).encoder(asked);
  Answer answer;
  Got got;
  while (const Event* event = decoder.next()) {
    Event restored = *event;
    table.restore(restored);
    encoder->write(restored, got.stream);
    answer.add(restored);
  }
  CHECK(decoder.ending() == Ending::complete);
  codec_for(client).write_answer(answer, asked, got.whole);
  const auto streamed = strict_client::read(client, got.stream, true);
  CHECK_MESSAGE(streamed.complaint == "", got.stream);
  CHECK(streamed.complete);
  const auto whole = strict_client::read_whole(client, got.whole);
  CHECK_MESSAGE(whole.complaint == "", got.whole);
  simdjson::dom::parser parser;
  std::string_view rest = got.stream;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    element json;
    if (!line.starts_with("data: {") ||
        parser.parse(std::string(line.substr(6))).get(json) != simdjson::SUCCESS) {
      continue;
    }
    element item;
    if (json["item"].get(item) == simdjson::SUCCESS) {
      got.items.push_back(simdjson::minify(item));
    }
    for (const auto* const place : {"/delta", "/choices/0/delta/tool_calls/0/custom/input"}) {
      const auto delta = text_at(json, place);
      got.deltas += delta == strict_client::detail::no_text ? "" : delta;
    }
  }
  element json;
  REQUIRE(parser.parse(got.whole).get(json) == simdjson::SUCCESS);
  element item;
  if (json.at_pointer("/output/0").get(item) == simdjson::SUCCESS ||
      json.at_pointer("/choices/0/message/tool_calls/0").get(item) == simdjson::SUCCESS) {
    got.items.push_back(simdjson::minify(item));
  }
  return got;
}

element parsed(simdjson::dom::parser& parser, const std::string& json) {
  return parser.parse(json);
}

const std::string patch =
    "*** Begin Patch\n*** Add File: a.txt\n+one \"two\" \\ caf\u00e9 \U0001F600\n*** End Patch\n";

/// The arguments of a call of apply_patch, in pieces that cut escapes.
std::vector<std::string> pieces_of_patch() {
  return {R"({"in)",
          R"(put": ")",
          R"(*** Begin Patch\)",
          R"(n*** Add File: a.txt\n+one \"two\" \\ caf)",
          R"(\u00)",
          R"(e9 \ud8)",
          R"(3d\ude)",
          R"(00\n*** End Patch\n"})"};
}

}  // namespace

TEST_CASE("a table restores names, namespaces and forms, and leaves every other name alone") {
  CHECK(ToolTable().empty());
  CHECK(ToolTable({{"look_up", ToolName("look_up")}}).empty());
  const ToolTable table({{"look_up", ToolName("look_up")},
                         {"apply_patch", ToolName("apply_patch", "", ToolForm::custom)},
                         {"mcp__docs__search", ToolName("search", "mcp__docs")},
                         {"mcp__docs__search", ToolName("other")}});
  CHECK(table.size() == 2);
  Event event{ToolStart(0, "c", "mcp__docs__search")};
  CHECK(table.restore(event));
  const auto& search = std::get<ToolStart>(event.body);
  CHECK(search.name == "search");
  CHECK(search.name_space == "mcp__docs");
  CHECK(search.form == ToolForm::function);
  CHECK(search.id == "c");
  Event patched{ToolStart(0, "c", "apply_patch")};
  CHECK(table.restore(patched));
  CHECK(std::get<ToolStart>(patched.body).form == ToolForm::custom);
  for (const auto* const name : {"look_up", "mcp__docs__open", "search", ""}) {
    Event other{ToolStart(0, "c", name)};
    CHECK_FALSE(table.restore(other));
    CHECK(std::get<ToolStart>(other.body).name == name);
  }
  Event text{Text(0, "apply_patch")};
  CHECK_FALSE(table.restore(text));
}

TEST_CASE("Codex's tools are offered to every other protocol as functions") {
  const auto request = agent_requests::read(responses, "r-conv-codex");
  for (const auto into : {anthropic, chat}) {
    CAPTURE(to_string(into));
    const auto sent = translated(request, into);
    const auto found = functions_in(body(sent.request, into), into);
    CHECK(found.size() ==
          4 + 1 + 1 + 10);  // functions, apply_patch, tool_search, of two namespaces
    for (const auto* const name :
         {"exec_command", "apply_patch", "tool_search", "mcp__github__tool_0_of_the_server",
          "multi_agent_v1__tool_3_of_the_server"}) {
      CHECK_MESSAGE(found.contains(name), name);
    }
    const auto& how = found.at("apply_patch");
    CHECK(how.find("Edits files.") == 0);
    CHECK(how.find("start: begin_patch hunk+ end_patch") != std::string::npos);
    CHECK(lost(sent, Loss::Kind::changed, "grammar of apply_patch"));
    CHECK(lost(sent, Loss::Kind::dropped, "tool web_search"));
    const auto of_tools =
        std::count_if(sent.losses.begin(), sent.losses.end(), [](const Loss& loss) {
          return loss.what.find("tool ") == 0 || loss.what.find("namespace") != std::string::npos ||
                 loss.what.find("grammar") != std::string::npos;
        });
    CHECK(of_tools == 2);  // a namespace and a search lose nothing
    // The same every time, so that the provider's cache finds the prefix again.
    CHECK(body(translated(request, into).request, into) == body(sent.request, into));
  }
  CHECK(translated(request, responses).tools.empty());
  CHECK(translated(request, responses).losses.empty());
}

TEST_CASE("a call of apply_patch comes back as a custom call, streamed as it comes and whole") {
  for (const auto* const name : {"r-codex-first", "r-conv-codex"}) {
    const auto request = agent_requests::read(responses, name);
    for (const auto from : {anthropic, chat}) {
      CAPTURE(to_string(from));
      const auto sent = translated(request, from);
      const auto got =
          answered(request, sent.tools, from, call_by(from, "apply_patch", pieces_of_patch()));
      CHECK(got.deltas == patch);
      REQUIRE(got.items.size() == 3);
      simdjson::dom::parser parser;
      for (const auto& item : got.items) {
        const auto json = parsed(parser, item);
        CHECK(text_at(json, "/type") == "custom_tool_call");
        CHECK(text_at(json, "/name") == "apply_patch");
        CHECK(text_at(json, "/id").starts_with("ctc_"));
        CHECK(text_at(json, "/call_id") == (from == chat ? "call_1" : "toolu_1"));
        CHECK(text_at(json, "/input") == (&item == &got.items[0] ? "" : patch));
      }
    }
  }
}

TEST_CASE("a call of Chat's custom tool comes back as one") {
  const auto request = agent_requests::read(chat, "c-sdk-custom-tool");
  for (const auto from : {anthropic, responses}) {
    CAPTURE(to_string(from));
    const auto sent = translated(request, from);
    const auto found = functions_in(body(sent.request, from), from);
    CHECK(found.size() == 5);
    CHECK(found.at("apply_patch").find("start: begin_patch") != std::string::npos);
    CHECK(lost(sent, Loss::Kind::changed, "grammar of apply_patch"));
  }
  const auto sent = translated(request, anthropic);
  const auto got = answered(request, sent.tools, anthropic,
                            call_by(anthropic, "apply_patch", pieces_of_patch()));
  CHECK(got.deltas == patch);
  REQUIRE(got.items.size() == 1);
  simdjson::dom::parser parser;
  const auto json = parsed(parser, got.items[0]);
  CHECK(text_at(json, "/type") == "custom");
  CHECK(text_at(json, "/custom/name") == "apply_patch");
  CHECK(text_at(json, "/custom/input") == patch);
}

TEST_CASE("arguments that are not the input of a custom tool are its input: nothing is lost") {
  const auto request = agent_requests::read(responses, "r-codex-first");
  for (const auto from : {anthropic, chat}) {
    const auto sent = translated(request, from);
    const std::string arguments = R"({"patch": "*** Begin Patch"})";
    const auto got =
        answered(request, sent.tools, from,
                 call_by(from, "apply_patch", {R"({"patch)", R"(": "*** Begin Patch"})"}));
    CHECK(got.deltas == arguments);
    simdjson::dom::parser parser;
    CHECK(text_at(parsed(parser, got.items.back()), "/input") == arguments);
  }
}

TEST_CASE(
    "a call of a tool of a namespace comes back with name and namespace, in added and done alike") {
  const auto request = agent_requests::read(responses, "r-conv-codex");
  for (const auto from : {anthropic, chat}) {
    CAPTURE(to_string(from));
    const auto sent = translated(request, from);
    const auto got =
        answered(request, sent.tools, from,
                 call_by(from, "multi_agent_v1__tool_2_of_the_server", {R"({"q":)", "\"x\"}"}));
    REQUIRE(got.items.size() == 3);
    simdjson::dom::parser parser;
    for (const auto& item : got.items) {
      const auto json = parsed(parser, item);
      CHECK(text_at(json, "/type") == "function_call");
      CHECK(text_at(json, "/name") == "tool_2_of_the_server");
      CHECK(text_at(json, "/namespace") == "multi_agent_v1");
    }
    CHECK(got.deltas == R"({"q":"x"})");
    // A name that was not offered is left as it is.
    const auto unknown =
        answered(request, sent.tools, from, call_by(from, "mcp__github__other", {"{}"}));
    CHECK(text_at(parsed(parser, unknown.items.back()), "/name") == "mcp__github__other");
    CHECK(unknown.items.back().find("namespace") == std::string::npos);
  }
}

TEST_CASE(
    "the search for tools is a function, comes back as a search, and what it found is offered") {
  const auto request = agent_requests::read(responses, "r-codex-tool-search");
  for (const auto from : {anthropic, chat}) {
    CAPTURE(to_string(from));
    const auto sent = translated(request, from);
    const auto written = body(sent.request, from);
    const auto found = functions_in(written, from);
    CHECK(found.contains("tool_search"));
    CHECK(found.contains("found_tool"));
    CHECK(written.find("Tools found: found_tool") != std::string::npos);
    CHECK(written.find("[a3] github") != std::string::npos);
    CHECK_FALSE(lost(sent, Loss::Kind::dropped, "tool result without a call"));
    CHECK_FALSE(lost(sent, Loss::Kind::dropped, "part tool_search_call"));
    CHECK_FALSE(lost(sent, Loss::Kind::dropped, "field execution"));
    const auto got = answered(request, sent.tools, from,
                              call_by(from, "tool_search", {R"({"query")", R"(: "mail"})"}));
    REQUIRE(got.items.size() == 3);
    simdjson::dom::parser parser;
    for (const auto& item : got.items) {
      const auto json = parsed(parser, item);
      CHECK(text_at(json, "/type") == "tool_search_call");
      CHECK(text_at(json, "/execution") == "client");
      CHECK(text_at(json, "/id").starts_with("tsc_"));
      CHECK(text_at(json, "/arguments/query") == (&item == &got.items[0] ? "\1none" : "mail"));
    }
  }
  // The same protocol has a form for all of it.
  const auto same = translated(request, responses);
  CHECK(same.losses.empty());
  const auto written = body(same.request, responses);
  for (const auto* const kept :
       {R"({"type":"tool_search_call","call_id":"call_t1","arguments":{"query":"[a3] github"})",
        R"({"type":"tool_search_output","call_id":"call_t1")",
        R"("tools":[{"type":"function","name":"found_tool")"}) {
    CHECK_MESSAGE(written.find(kept) != std::string::npos, written);
  }
}

TEST_CASE("calls and results of every form survive in the history") {
  const auto request = client_request(responses, R"({"model":"m","tools":[
    {"type":"custom","name":"apply_patch","description":"d"},
    {"type":"namespace","name":"mcp__docs","description":"Docs.","tools":[{"type":"function","name":"search","parameters":{"type":"object"}},{"type":"custom","name":"note"}]}],
    "tool_choice":{"type":"custom","name":"apply_patch"},
    "input":[{"role":"user","content":"q"},
    {"type":"custom_tool_call","id":"ctc_1","call_id":"c1","name":"apply_patch","input":"a \"b\""},
    {"type":"custom_tool_call_output","call_id":"c1","output":"done 1"},
    {"type":"function_call","id":"fc_1","call_id":"c2","name":"search","namespace":"mcp__docs","arguments":"{\"q\":1}"},
    {"type":"function_call_output","call_id":"c2","output":"done 2"},
    {"type":"custom_tool_call","call_id":"c3","name":"note","namespace":"mcp__docs","input":"n"},
    {"type":"custom_tool_call_output","call_id":"c3","output":[{"type":"input_text","text":"done 3"}]},
    {"type":"function_call","call_id":"c4","name":"gone","namespace":"mcp__old","arguments":"{}"},
    {"type":"function_call_output","call_id":"c4","output":"done 4"}]})");
  const auto for_chat = translated(request, chat);
  const auto in_chat = body(for_chat.request, chat);
  for (const auto* const kept :
       {R"("function":{"name":"apply_patch","arguments":"{\"input\":\"a \\\"b\\\"\"}"})",
        R"("function":{"name":"mcp__docs__search","arguments":"{\"q\":1}"})",
        R"("function":{"name":"mcp__docs__note","arguments":"{\"input\":\"n\"}"})",
        R"("function":{"name":"mcp__old__gone","arguments":"{}"})",
        R"("tool_choice":{"type":"function","function":{"name":"apply_patch"}})", "done 1",
        "done 2", "done 3", "done 4"}) {
    CHECK_MESSAGE(in_chat.find(kept) != std::string::npos, in_chat);
  }
  CHECK(names_of(for_chat.request) ==
        std::vector<std::string>{"apply_patch", "mcp__docs__search", "mcp__docs__note"});
  CHECK(lost(for_chat, Loss::Kind::dropped, "description of namespace mcp__docs"));
  const auto in_anthropic = body(translated(request, anthropic).request, anthropic);
  CHECK_MESSAGE(
      in_anthropic.find(R"("name":"apply_patch","input":{"input":"a \"b\""})") != std::string::npos,
      in_anthropic);
  CHECK(in_anthropic.find(R"("tool_choice":{"type":"tool","name":"apply_patch")") !=
        std::string::npos);
  // Written again in its own protocol, it is what it was.
  const auto same = translated(request, responses);
  CHECK(same.losses.empty());
  const auto again = body(same.request, responses);
  for (
      const auto* const kept :
      {R"({"type":"custom_tool_call","call_id":"c1","name":"apply_patch","input":"a \"b\"","id":"ctc_1"})",
       R"({"type":"custom_tool_call_output","call_id":"c1","output":"done 1"})",
       R"("name":"search","namespace":"mcp__docs","arguments":"{\"q\":1}")",
       R"("tool_choice":{"type":"custom","name":"apply_patch"})",
       R"({"type":"namespace","name":"mcp__docs")"}) {
    CHECK_MESSAGE(again.find(kept) != std::string::npos, again);
  }
}

TEST_CASE("names that a target refuses are rewritten one to one, and restored") {
  const std::string longest(128, 'n');
  const std::string over = longest + "o";
  Request request("m");
  request.origin = anthropic;
  for (const auto& name : {std::string("fine-1_A"), std::string("has.dot"), std::string("has dot"),
                           std::string("has_dot"), std::string("\u00fcber"), longest, over,
                           longest + "p", longest.substr(0, 64), longest.substr(0, 65)}) {
    request.tools.emplace_back(name, "d", R"({"type":"object"})");
  }
  request.messages.emplace_back(Role::user, "q");
  request.messages.emplace_back(Role::assistant).parts.emplace_back(ToolCallPart("i", over, "{}"));
  request.messages.emplace_back(Role::user).parts.emplace_back(ToolResultPart("i", "r"));
  request.tool_choice = ToolChoice(ToolChoice::Mode::named, over);
  for (const auto into : {chat, responses}) {
    CAPTURE(to_string(into));
    const auto sent = translated(request, into);
    const auto written = body(sent.request, into);
    CHECK(functions_in(written, into).size() == request.tools.size());
    const auto names = names_of(sent.request);
    CHECK(names[0] == "fine-1_A");
    CHECK(names[8] == longest.substr(0, 64));
    for (std::size_t i = 0; i < names.size(); ++i) {
      Event event{ToolStart(0, "c", names[i])};
      CHECK(sent.tools.restore(event) == (names[i] != request.tools[i].name));
      CHECK(std::get<ToolStart>(event.body).name == request.tools[i].name);
    }
    CHECK(sent.request.tool_choice.name == names[6]);
    CHECK(std::get<ToolCallPart>(sent.request.messages[1].parts[0]).name == names[6]);
    // A longer list begins with the same names.
    Request longer = request;
    longer.tools.emplace_back("has-dot", "d", R"({"type":"object"})");
    auto first = names_of(translated(longer, into).request);
    first.pop_back();
    CHECK(first == names);
    CHECK(std::none_of(sent.losses.begin(), sent.losses.end(), [](const Loss& loss) {
      return loss.what.find("name") != std::string::npos;
    }));
  }
}

TEST_CASE("names that collide stay apart") {
  const auto request = client_request(responses, R"({"model":"m","input":"q","tools":[
    {"type":"namespace","name":"a__b","tools":[{"type":"function","name":"c"}]},
    {"type":"namespace","name":"a","tools":[{"type":"function","name":"b__c"}]},
    {"type":"function","name":"a__b__c"},
    {"type":"namespace","name":"a__","tools":[{"type":"function","name":"b__c"}]},
    {"type":"function","name":"tool_search"},
    {"type":"tool_search","execution":"client","parameters":{"type":"object"}}]})");
  const auto sent = translated(request, chat);
  const auto names = names_of(sent.request);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == 6);
  const std::array wanted{ToolName("c", "a__b"),   ToolName("b__c", "a"),
                          ToolName("a__b__c"),     ToolName("b__c", "a__"),
                          ToolName("tool_search"), ToolName("tool_search", "", ToolForm::search)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* const found = sent.tools.find(names[i]);
    CHECK((found == nullptr ? ToolName(names[i]) : *found) == wanted.at(i));
  }
}

TEST_CASE("tools that come within the conversation are offered once") {
  const auto request = client_request(
      responses,
      R"({"model":"m","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"input":[
    {"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"g"},{"type":"custom","name":"p"},{"type":"namespace","name":"n","tools":[{"type":"function","name":"h"}]}]},
    {"role":"user","content":"q"},
    {"type":"tool_search_call","call_id":"c","execution":"client","arguments":{"query":"x"}},
    {"type":"tool_search_output","call_id":"c","execution":"client","tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"function","name":"g","description":"another"},{"type":"namespace","name":"n","tools":[{"type":"function","name":"i"}]}]},
    {"type":"tool_search_call","call_id":null,"execution":"server","arguments":{"paths":["x"]}},
    {"type":"tool_search_output","call_id":null,"execution":"server","tools":[]}]})");
  const auto sent = translated(request, chat);
  CHECK(names_of(sent.request) == std::vector<std::string>{"f", "g", "p", "n__h", "n__i"});
  CHECK(lost(sent, Loss::Kind::dropped, "second tool g"));
  CHECK_FALSE(lost(sent, Loss::Kind::dropped, "second tool f"));
  CHECK(lost(sent, Loss::Kind::dropped, "part tool_search_call"));  // the provider's own
  const auto written = body(sent.request, chat);
  CHECK(written.find("Tools found: f, g, n__i") != std::string::npos);
  CHECK(written.find("additional_tools") == std::string::npos);
  const auto same = body(translated(request, responses).request, responses);
  CHECK(same.find(R"({"type":"additional_tools","role":"developer")") != std::string::npos);
}

TEST_CASE("Codex's prompt stays the system text, although its tools stand in front of it") {
  const auto request = client_request(responses, R"({"model":"m","input":[
    {"type":"additional_tools","role":"developer","id":"at_1","tools":[{"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"}]}]},
    {"type":"message","role":"developer","id":"msg_1","content":[{"type":"input_text","text":"You are Codex."}]},
    {"type":"message","role":"developer","content":[{"type":"input_text","text":"Be brief."}]},
    {"type":"message","role":"user","content":[{"type":"input_text","text":"q"}]},
    {"type":"message","role":"developer","content":[{"type":"input_text","text":"later"}]}]})");
  const auto sent = translated(request, anthropic);
  REQUIRE(sent.request.system.size() == 2);
  CHECK(sent.request.system[0].text == "You are Codex.");
  CHECK(sent.request.system[1].text == "Be brief.");
  CHECK(sent.request.messages.size() == 1);  // the question, and what was said later
  CHECK(lost(sent, Loss::Kind::dropped, "field id"));
  CHECK(body(sent.request, anthropic).find(R"("system":[{"type":"text","text":"You are Codex.")") !=
        std::string::npos);
  const auto same = translated(request, responses);
  CHECK(same.request.system.empty());  // as it came
}

TEST_CASE("Anthropic's references to tools are text, and deferred tools are offered") {
  const auto request = client_request(
      anthropic,
      R"({"model":"m","max_tokens":9,"tools":[{"name":"ToolSearch","input_schema":{"type":"object"}},{"name":"a.b","defer_loading":true,"input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"web_search"}],
    "messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"ToolSearch","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"tool_reference","tool_name":"a.b"},{"type":"tool_reference","tool_name":"Unknown"}]}]}]})");
  const auto sent = translated(request, chat);
  CHECK(names_of(sent.request) == std::vector<std::string>{"ToolSearch", "a_b"});
  CHECK(body(sent.request, chat).find(R"("content":"Tool found: a_b\nTool found: Unknown")") !=
        std::string::npos);
  CHECK(lost(sent, Loss::Kind::dropped, "tool web_search"));
  CHECK(lost(sent, Loss::Kind::dropped, "field defer_loading"));
  CHECK_FALSE(lost(sent, Loss::Kind::dropped, "part tool_reference"));
}

TEST_CASE("a provider's own tool is a loss with a name") {
  for (const auto* const type :
       {"image_generation", "computer_use_preview", "mcp", "file_search"}) {
    const auto request =
        client_request(responses, R"({"model":"m","input":"q","tools":[{"type":")" +
                                      std::string(type) + R"("}]})");
    const auto sent = translated(request, anthropic);
    CHECK(lost(sent, Loss::Kind::dropped, "tool " + std::string(type)));
    CHECK(sent.request.tools.empty());
  }
  const auto searched =
      client_request(responses, R"({"model":"m","input":"q","tools":[{"type":"tool_search"}]})");
  CHECK(lost(translated(searched, chat), Loss::Kind::dropped, "tool tool_search"));
}

TEST_CASE("a compacted history goes on as text if it can be read, and is a loss if it cannot") {
  const auto compacted = agent_requests::read(anthropic, "a-claude-compacted");
  for (const auto into : {chat, responses}) {
    const auto sent = translated(compacted, into);
    CHECK(lost(sent, Loss::Kind::changed, "part compaction"));
    CHECK(std::all_of(sent.request.messages.begin(), sent.request.messages.end(),
                      [](const Message& message) { return message.role == Role::user; }));
    CHECK(body(sent.request, into)
              .find("Summary of the conversation so far:\\n\\n[q4] table green") !=
          std::string::npos);
    CHECK(sent.unsupported.empty());
  }
  const auto sealed = client_request(
      responses,
      R"({"model":"m","input":[{"role":"user","content":"q"},{"type":"compaction","id":"cmp_1","encrypted_content":"gAAAA"},{"role":"user","content":"r"}]})");
  const auto sent = translated(sealed, anthropic);
  CHECK(lost(sent, Loss::Kind::dropped, "compacted history"));
  CHECK(body(sent.request, anthropic).find("gAAAA") == std::string::npos);
  CHECK(translated(sealed, responses).losses.empty());
  const auto empty = client_request(
      anthropic,
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"compaction","content":null},{"type":"text","text":"b"}]},{"role":"user","content":"r"}]})");
  CHECK(translated(empty, chat).losses.empty());
}

TEST_CASE("a request to compact is refused where it cannot be served") {
  const auto request = agent_requests::read(responses, "r-codex-compaction-trigger");
  for (const auto into : {anthropic, chat}) {
    CHECK(translated(request, into).unsupported.find("compaction_trigger") != std::string::npos);
  }
  CHECK(translated(request, responses).unsupported.empty());
}

TEST_CASE("what is written again in its own protocol stays the same, with every member") {
  const auto check = [](Protocol protocol, const Request& request) {
    const auto once = body(request, protocol);
    CHECK(body(client_request(protocol, once), protocol) == once);
    return once;
  };
  for (const auto* const name :
       {"r-codex-first", "r-conv-codex", "r-codex-tool-search", "r-codex-compaction-trigger"}) {
    check(responses, agent_requests::read(responses, name));
  }
  check(chat, agent_requests::read(chat, "c-sdk-custom-tool"));
  check(anthropic, agent_requests::read(anthropic, "a-claude-compacted"));
  const auto odd = check(responses, client_request(responses, R"({"model":"m","input":[
    {"type":"function_call","call_id":"a","name":"f","arguments":"{}","input":"kept 1","namespace":null},
    {"type":"custom_tool_call","call_id":"b","name":"p","arguments":"kept 2"},
    {"type":"tool_search_call","call_id":"c","execution":"client","name":"kept 3"},
    {"type":"tool_search_output","call_id":"c","execution":"client","output":"kept 4"},
    {"type":"tool_search_output","execution":"client","tools":"kept 5"}],
    "tools":[{"type":"custom","name":"p","format":"kept 6"},{"type":"namespace","name":"n","tools":[]},
    {"type":"namespace","name":"o","tools":[{"type":"namespace","name":"p","tools":[{"type":"function","name":"kept 7"}]}]}]})"));
  for (char n = '1'; n <= '7'; ++n) {
    CHECK_MESSAGE(odd.find(std::string("kept ") + n) != std::string::npos, odd);
  }
}

}  // namespace tool_table_test
