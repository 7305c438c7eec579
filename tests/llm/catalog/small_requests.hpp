/// Small requests, each for a rule of the catalog that the recorded ones (../agent_requests.hpp) do not need.
///
/// Invariants
/// 1. Each has what the public report at its rule's sources had in it, and else as little as a request can have.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../agent_requests.hpp"

namespace small_requests {

using agent_requests::AgentRequest;
using understudy::llm::Protocol;

/// A request, and the model that it is sent to where that is not the double's own.
struct SmallRequest : AgentRequest {
  SmallRequest(std::string named, Protocol speaks, std::string json, std::string to = {},
               std::string words = {})
      : model(std::move(to)) {
    name = std::move(named);
    protocol = speaks;
    body = std::move(json);
    betas = std::move(words);
  }

  SmallRequest whole() && { return stream = false, std::move(*this); }

  std::string model;
  bool stream = true;  ///< whether the provider is asked for a stream
};

/// A user's message in each protocol, with other members (`,"name":value...`) in front of it.
inline std::string messages(const std::string& members) {
  return R"({"model":"claude-opus-5","max_tokens":100,"messages":[{"role":"user","content":"hi"}])" +
         members + "}";
}
inline std::string chat(const std::string& members) {
  return R"({"model":"gpt-5.5","messages":[{"role":"user","content":"hi"}])" + members + "}";
}
inline std::string responses(const std::string& members) {
  return R"({"model":"gpt-5.5","store":false,"input":[{"type":"message","role":"user","content":"hi"}])" +
         members + "}";
}
/// With these messages.
inline std::string talk(const std::string& list, const std::string& members = {}) {
  return R"({"model":"m","max_tokens":100,"messages":[)" + list + "]" + members + "}";
}
inline std::string items(const std::string& list, const std::string& members = {}) {
  return R"({"model":"gpt-5.5","store":false,"input":[)" + list + "]" + members + "}";
}
inline std::string chat_tool(const std::string& name, const std::string& schema) {
  return R"({"type":"function","function":{"name":")" + name + R"(","parameters":)" + schema + "}}";
}
inline std::string messages_tool(const std::string& name, const std::string& schema) {
  return R"({"name":")" + name + R"(","input_schema":)" + schema + "}";
}

inline std::vector<SmallRequest> all() {
  constexpr auto a = Protocol::anthropic_messages;
  constexpr auto c = Protocol::openai_chat;
  constexpr auto r = Protocol::openai_responses;
  const auto text = [](std::size_t n) { return "\"" + std::string(n, 'x') + "\""; };
  const std::string plain = R"({"type":"object","properties":{"a":{"type":"string"}}})";
  const std::string empty = R"({"type":"object"})";
  const std::string user = R"({"role":"user","content":"hi"})";
  const auto call = [&](const std::string& id) {
    return user + R"(,{"role":"assistant","content":"so","tool_calls":[{"id":")" + id +
           R"(","type":"function","function":{"name":"look","arguments":"{}"}}]},)" +
           R"({"role":"tool","tool_call_id":")" + id + R"(","content":"seen"})";
  };
  const std::string look = ",\"tools\":[" + chat_tool("look", plain) + "]";
  const auto use = [&](const std::string& id) {
    return user + R"(,{"role":"assistant","content":[{"type":"tool_use","id":")" + id +
           R"(","name":"look","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":")" +
           id + R"(","content":"seen"}]})";
  };
  const std::string look_too = ",\"tools\":[" + messages_tool("look", plain) + "]";
  const std::string marked = R"({"type":"text","text":"t","cache_control":{"type":"ephemeral"}},)";
  return {
      // Messages
      {"a new beta and a new member of Claude Code",
       a,
       messages(R"(,"brand_new":1)"),
       {},
       "brand-new-2027-01-01"},
      {"Claude Code's context management without its beta", a,
       messages(R"(,"context_management":{"edits":[]})")},
      {"deferred tools without their beta", a,
       messages(",\"tools\":[{\"defer_loading\":true,\"name\":\"look\",\"input_schema\":" + plain +
                "}," + messages_tool("see", plain) + "]")},
      {"a message's output_config without its beta", a,
       talk(R"({"role":"user","content":"hi","output_config":{"effort":"low"}})")},
      {"safeguards without their beta", a, messages(R"(,"safeguards":{"type":"auto"})")},
      {"diagnostics without their beta", a,
       messages(R"(,"diagnostics":{"previous_message_id":null})")},
      {"speed without its beta", a, messages(R"(,"speed":"fast")")},
      {"block binding without its beta", a,
       messages(
           R"(,"thinking":{"type":"adaptive","block_binding":{"mismatch_behavior":"drop_block"}})")},
      {"a user id of 300 characters", a, messages(R"(,"metadata":{"user_id":)" + text(300) + "}")},
      {"an empty text beside another", a,
       talk(
           R"({"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"hi"}]})")},
      {"six cache breakpoints", a,
       talk(R"({"role":"user","content":[)" + marked + marked + marked + marked + marked + marked +
            R"({"type":"text","text":"hi"}]})")},
      {"a schema with alternatives at its root", a,
       messages(",\"tools\":[" +
                messages_tool("look", R"({"type":"object","anyOf":[{"required":["a"]}]})") + "]")},
      {"a property with a dollar", a,
       messages(
           ",\"tools\":[" +
           messages_tool("look", R"({"type":"object","properties":{"$top":{"type":"integer"}}})") +
           "]")},
      {"a call's id with a colon", a, talk(use("functions.look:0"), look_too)},
      {"a server tool's id of another host", a,
       talk(
           user +
           R"(,{"role":"assistant","content":[{"type":"server_tool_use","id":"call_1","name":"web_search","input":{}},)" +
           R"({"type":"web_search_tool_result","tool_use_id":"call_1","content":[]},{"type":"text","text":"so"}]},)" +
           user)},
      {"thinking without a signature", a,
       talk(
           user +
           R"(,{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"so"}]},)" +
           user)},
      {"a system message amid a conversation", a,
       talk(user + R"(,{"role":"assistant","content":"so"},)" + user +
            R"(,{"role":"system","content":"be brief"})")},
      {"a limit above the model's", a,
       R"({"model":"claude-opus-5","max_tokens":500000,"messages":[{"role":"user","content":"hi"}]})"},
      {"sampling for a model that refuses it", a, messages(R"(,"temperature":0.5,"top_k":4)")},
      {"thinking that is turned off", a, messages(R"(,"thinking":{"type":"disabled"})")},
      {"thinking with a budget", a,
       R"({"model":"claude-opus-4-5","max_tokens":8000,"thinking":{"type":"enabled","budget_tokens":4000},"messages":[{"role":"user","content":"hi"}]})"},
      {"a forced tool", a,
       messages(",\"tools\":[" + messages_tool("look", plain) +
                R"(],"tool_choice":{"type":"tool","name":"look"})")},
      {"a forced tool while the model thinks", a,
       R"({"model":"m","max_tokens":8000,"thinking":{"type":"enabled","budget_tokens":4000},"messages":[{"role":"user","content":"hi"}],"tools":[)" +
           messages_tool("look", plain) + R"(],"tool_choice":{"type":"any"}})"},
      {"a temperature and top_p", a, messages(R"(,"temperature":0.5,"top_p":0.9)")},
      {"a prefill", a, talk(user + R"(,{"role":"assistant","content":"{"})")},
      {"a tool's name of 100 characters", a,
       messages(",\"tools\":[" + messages_tool(std::string(100, 'n'), plain) + "]")},
      {"a tool's name of two characters", a,
       messages(",\"tools\":[" + messages_tool("ls", plain) + "]")},
      {"a name that begins with a digit", a,
       messages(",\"tools\":[" + messages_tool("3d_view", plain) + "]")},
      {"a tool without properties", a,
       messages(",\"tools\":[" + messages_tool("look", empty) + "]")},
      {"a document", a,
       talk(
           R"({"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"[m2] all"}},{"type":"text","text":"hi"}]})")},
      // Chat
      {"a new member of Chat", c, chat(R"(,"brand_new":1)")},
      {"what only OpenAI's Chat has", c,
       chat(R"(,"prompt_cache_key":"k","verbosity":"low","store":true,"seed":7,"user":"u")")},
      {"a user of 200 characters", c, chat(R"(,"user":)" + text(200))},
      {"a safety identifier of 200 characters", c, chat(R"(,"safety_identifier":)" + text(200))},
      {"a cache key of 200 characters", c, chat(R"(,"prompt_cache_key":)" + text(200))},
      {"Z.ai's user_id of three characters", c, chat(R"(,"user_id":"bob")")},
      {"a high temperature", c, chat(R"(,"temperature":1.9)")},
      {"no temperature at all", c, chat(R"(,"temperature":0)")},
      {"two choices", c, chat(R"(,"n":2)")},
      {"a stop sequence and penalties", c,
       chat(R"(,"stop":["#"],"presence_penalty":0.5,"frequency_penalty":0.5)")},
      {"penalties in camel case", c, chat(R"(,"presencePenalty":0.5)")},
      {"probabilities", c, chat(R"(,"logprobs":true,"top_logprobs":2)")},
      {"the old limit", c, chat(R"(,"max_tokens":50)")},
      {"an old limit above the model's", c, chat(R"(,"max_tokens":900000)")},
      {"a limit above the model's, in Chat", c, chat(R"(,"max_completion_tokens":900000)")},
      {"the least effort", c, chat(R"(,"reasoning_effort":"minimal")")},
      {"the most effort", c, chat(R"(,"reasoning_effort":"max")")},
      {"thinking and effort", c,
       chat(R"(,"thinking":{"type":"enabled"},"reasoning_effort":"high")")},
      {"a developer's message", c, talk(R"({"role":"developer","content":"be brief"},)" + user)},
      {"two system messages", c,
       talk(R"({"role":"system","content":"be brief"},{"role":"system","content":"be kind"},)" +
            user)},
      {"a system message behind the user's", c,
       talk(user + R"(,{"role":"system","content":"be brief"},)" + user)},
      {"a name and reasoning of another maker", c,
       talk(
           R"({"role":"user","name":"bob","content":"hi"},{"role":"assistant","content":"so","reasoning_content":"hm","refusal":null},)" +
           user)},
      {"calls with an id of Anthropic's length", c,
       talk(call("toolu_" + std::string(50, '0')), look)},
      {"calls with Moonshot's ids", c, talk(call("functions.look:0"), look)},
      {"a user after a tool", c, talk(call("call_1") + "," + user, look)},
      {"a system message last", c, talk(user + R"(,{"role":"system","content":"be brief"})")},
      {"content that is null", c,
       talk(
           user +
               R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]},)" +
               R"({"role":"tool","tool_call_id":"call_1","content":"seen"})",
           look)},
      {"an empty text", c,
       talk(
           R"({"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"hi"}]})")},
      {"a forced tool, in Chat", c,
       chat(look + R"(,"tool_choice":{"type":"function","function":{"name":"look"}})")},
      {"any tool, in Chat", c, chat(look + R"(,"tool_choice":"required")")},
      {"tools and effort", c, chat(look + R"(,"reasoning_effort":"high")")},
      {"a function without parameters", c,
       chat(R"(,"tools":[{"type":"function","function":{"name":"look"}}])")},
      {"a function without properties", c, chat(",\"tools\":[" + chat_tool("look", empty) + "]")},
      {"a reference and an enum without a type", c,
       chat(
           ",\"tools\":[" +
           chat_tool(
               "look",
               R"({"type":"object","properties":{"a":{"enum":["x"]},"b":{"$ref":"#/definitions/B"}},"definitions":{"B":{"type":"string"}}})") +
           "]")},
      {"an unanchored pattern", c,
       chat(
           ",\"tools\":[" +
           chat_tool("look",
                     R"({"type":"object","properties":{"a":{"type":"string","pattern":"\\d+"}}})") +
           "]")},
      {"a schema for the answer", c,
       chat(
           R"(,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{}}}})")},
      {"an image", c,
       talk(
           R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"hi"}]})")},
      {"an image in a tool's result", c,
       talk(
           user +
               R"(,{"role":"assistant","content":"so","tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]},)" +
               R"({"role":"tool","tool_call_id":"call_1","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})",
           look)},
      {"a tool's name with a dot", c, chat(",\"tools\":[" + chat_tool("files.look", plain) + "]")},
      {"two tools of one name", c,
       chat(",\"tools\":[" + chat_tool("look", plain) + "," + chat_tool("look", plain) + "]")},
      {"a result without its call", c,
       talk(user + R"(,{"role":"tool","tool_call_id":"call_1","content":"seen"},)" + user, look)},
      // Responses
      {"a new member of Responses", r, responses(R"(,"brand_new":1)")},
      {"a limit of five tokens", r, responses(R"(,"max_output_tokens":5)")},
      {"a limit above the model's, in Responses", r, responses(R"(,"max_output_tokens":900000)")},
      {"long identifiers", r,
       responses(R"(,"user":)" + text(90) + R"(,"safety_identifier":)" + text(90) +
                 R"(,"prompt_cache_key":)" + text(90))},
      {"sampling for a model that thinks", r, responses(R"(,"temperature":0.5,"top_logprobs":2)")},
      {"an effort that the model lacks", r, responses(R"(,"reasoning":{"effort":"minimal"})")},
      {"encrypted reasoning of a model that has none", r,
       responses(R"(,"include":["reasoning.encrypted_content"])"), "gpt-4o"},
      {"an input that is a string", r, R"({"model":"gpt-5.5","input":"hi"})"},
      SmallRequest("a provider that is not streamed from", r, responses("")).whole(),
      {"an unknown type of tool", r,
       responses(
           R"(,"tools":[{"type":"brand_new"},{"type":"function","name":"look","parameters":)" +
           plain + "}]")},
      {"a call's id of 90 characters", r,
       items(
           R"({"type":"message","role":"user","content":"hi"},{"type":"function_call","call_id":)" +
           text(90) +
           R"(,"name":"look","arguments":"{}"},{"type":"function_call_output","call_id":)" +
           text(90) + R"(,"output":"seen"})")},
      {"an item's id of 90 characters", r,
       items(R"({"type":"message","role":"user","id":"msg_)" + text(90).substr(1) +
             R"(,"content":"hi"})")},
      {"items with ids of another host", r,
       items(
           R"({"type":"message","role":"user","content":"hi"},{"type":"message","role":"assistant","id":"chatcmpl-1","content":[{"type":"output_text","text":"so"}]},{"type":"message","role":"user","content":"and"})")},
      {"reasoning that was stored elsewhere", r,
       items(
           R"({"type":"message","role":"user","content":"hi"},{"type":"reasoning","id":"rs_1","summary":[]},{"type":"message","role":"assistant","id":"msg_1","content":[{"type":"output_text","text":"so"}]},{"type":"message","role":"user","content":"and"})")},
      {"a system message in the input", r,
       items(
           R"({"type":"message","role":"system","content":"be brief"},{"type":"message","role":"user","content":"hi"})")},
  };
}

}  // namespace small_requests
