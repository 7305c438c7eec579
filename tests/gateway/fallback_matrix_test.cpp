// Requests of real agents and SDKs through the whole gateway, where the maker of their protocol is overloaded (529) and
// another back end, a strict double, answers: one request goes to it, it is accepted, and the answer has the form that the
// client's own protocol demands, streamed and whole.
#include <map>
#include <string>
#include <vector>

#include "../llm/matrix_cell.hpp"
#include "../llm/strict_client.hpp"
#include "gateway_world.hpp"
#include "seen_answer.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/testing/strict_server.hpp"

namespace fallback_matrix {

using namespace gateway_test;
using agent_requests::AgentRequest;
using seen_answer::SeenAnswer;
using seen_answer::SeenCall;
using testing::StrictAnswerOptions;
using testing::StrictBackend;
using testing::StrictBackends;
using testing::StrictExchange;
using testing::StrictServer;
using testing::StrictServerOptions;

/// The owner of the client's protocol, then the back end under its preset.
std::string chain_to(const StrictBackend& strict, Protocol client) {
  const std::string owner = client == Protocol::anthropic_messages ? "anthropic"
                            : client == Protocol::openai_chat      ? "openai"
                                                                   : "openai-codex";
  const auto& back_end = matrix_cell::back_end_of(strict);
  REQUIRE_FALSE(back_end.presets.empty());
  std::string text =
      "[fallback]\nwait_out = \"off\"\n[model]\nprovider = \"lead\"\ndefault = \"lead-model\"\n";
  text += "[[fallback_providers]]\nprovider = \"second\"\nmodel = \"" +
          std::string(strict.default_model()) + "\"\n";
  text += "[providers.lead]\npreset = \"" + owner + "\"\nbase_url = \"http://lead.test:8001\"\n";
  text += "[providers.second]\npreset = \"" + back_end.presets.front() + "\"\nprotocol = \"" +
          std::string(strict.protocol()) + "\"\nbase_url = \"http://second.test:8002\"\n";
  text += "credentials = [{env = \"SECOND_API_KEY\"}]\n";
  if (strict.id() == "codex") {
    text += "headers = {\"chatgpt-account-id\" = \"account-1\"}\n";
  }
  return text;
}

StrictAnswerOptions always_calls() {
  return StrictAnswerOptions().with_calls(StrictAnswerOptions::Calls::always);
}

struct Cell {
  bool accepted = false;
  bool one_request = false;
  std::string complaints;            // about the answer that the client got
  std::vector<std::string> unnamed;  // markers that are lost, and no loss is named
  std::string losses;
  SeenAnswer said;  // by the double
  Got got;
  std::vector<StrictExchange> exchanges;
};

const char* path_of(Protocol protocol) {
  return protocol == Protocol::anthropic_messages ? "/v1/messages"
         : protocol == Protocol::openai_chat      ? "/v1/chat/completions"
                                                  : "/v1/responses";
}

/// The request as its client would send it for a streamed, or a whole, answer.
std::string asked_for(const AgentRequest& asked, const StrictBackend& strict, bool stream) {
  const auto body = matrix_cell::with_own_seals(asked.body, strict);
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  REQUIRE(parser.parse(body).get(members) == simdjson::SUCCESS);
  std::string out = stream ? R"({"stream":true)" : R"({"stream":false)";
  for (const auto [name, value] : members) {
    if (name != "stream" && (stream || name != "stream_options")) {
      out += ",\"" + std::string(name) + "\":" + simdjson::minify(value);
    }
  }
  return out + "}";
}

bool has(const AgentRequest& asked, std::string_view text) {
  return asked.body.find(text) != std::string::npos;
}

/// What the double answered.
SeenAnswer answer_of(const StrictBackend& strict, const StrictExchange& exchange) {
  const auto said =
      strict.answer(exchange.head.headers, exchange.body, always_calls(), exchange.head.target);
  return seen_answer::seen_in(*protocol_from(strict.protocol()), said.body(), said.streamed);
}

/// The input of a custom tool, which other protocols have as the argument `input` of a function.
std::string unwrapped(const SeenCall& call) {
  simdjson::dom::parser parser;
  std::string_view input;
  return !call.custom && parser.parse(simdjson::padded_string(call.input))["input"].get(input) ==
                             simdjson::SUCCESS
             ? std::string(input)
             : call.input;
}

/// The word of the client's protocol for an answer that is complete.
std::string finish_word(Protocol protocol, bool calls) {
  switch (protocol) {
    case Protocol::anthropic_messages: return calls ? "tool_use" : "end_turn";
    case Protocol::openai_chat: return calls ? "tool_calls" : "stop";
    case Protocol::openai_responses: return "completed";
  }
  return "";
}

/// Compares what the client got with what the double said.
void compare(Cell& cell, const AgentRequest& asked, const SeenAnswer& said, bool stream) {
  const auto complain = [&](const std::string& what) { cell.complaints += what + "; "; };
  const bool choices = has(asked, "\"n\":2");  // the strict clients know one
  if (!choices) {
    const auto verdict = stream ? strict_client::read(asked.protocol, cell.got.body, true)
                                : strict_client::read_whole(asked.protocol, cell.got.body);
    if (!verdict.complaint.empty()) {
      complain(verdict.complaint);
    }
    if (stream && (!verdict.complete || verdict.failed)) {
      complain("the stream is not complete");
    }
  }
  const auto got = seen_answer::seen_in(asked.protocol, cell.got.body, stream);
  if (got.choices != said.choices && said.choices > 0 && got.choices > 0) {
    complain(std::to_string(got.choices) + " choices");
  }
  if (got.text != said.text) {
    complain("the text is " + got.text);
  }
  if (got.reasoning != said.reasoning) {
    complain("the reasoning is " + got.reasoning);
  }
  if (got.finish != finish_word(asked.protocol, !said.calls.empty())) {
    complain("it finishes with " + got.finish);
  }
  const bool counts =
      !stream || asked.protocol != Protocol::openai_chat || has(asked, "\"include_usage\":true");
  if (counts ? got.input != said.input || got.output != said.output : got.input != -1) {
    complain("the usage is " + std::to_string(got.input) + " and " + std::to_string(got.output));
  }
  if (got.calls.size() != said.calls.size()) {
    return complain(std::to_string(got.calls.size()) + " calls");
  }
  auto other = said.calls.begin();
  for (const auto& [place, call] : got.calls) {
    for (const auto& name : {call.name, call.name_space}) {
      if (!name.empty() && !has(asked, "\"name\":\"" + name + "\"")) {
        complain("a call of a tool that the client does not have: " + name);
      }
    }
    const bool is_custom = has(asked, R"("type":"custom","name":")" + call.name + "\"") ||
                           has(asked, R"("type":"custom","custom":{"name":")" + call.name + "\"");
    if (call.custom != is_custom) {
      complain("a call in another form: " + call.name);
    }
    if (call.input != (call.custom ? unwrapped(other->second) : other->second.input)) {
      complain("its input is " + call.input);
    }
    ++other;
  }
}

Cell cell_of(const AgentRequest& asked, const StrictBackend& strict, bool stream) {
  Cell cell;
  GatewayWorld world;
  world.variables["SECOND_API_KEY"] = "the second's key";
  world.add().reply_by(
      [](const testing::SeenRequest&) { return Reply::status(529, "Overloaded"); });
  StrictServer server(strict, StrictServerOptions().with_answer(always_calls()));
  auto& port = *world.acceptors.emplace_back(world.network->listen(8002));
  const auto body = asked_for(asked, strict, stream);
  world.serve(world.config(chain_to(strict, asked.protocol)),
              [&](HttpClient& http) -> awaitable<void> {
                HttpRequest request("POST", path_of(asked.protocol));
                request.with_header("content-type", "application/json").with_body(body);
                if (asked.protocol == Protocol::anthropic_messages) {
                  request.with_header("anthropic-version", "2023-06-01");
                }
                if (!asked.betas.empty()) {
                  request.with_header("anthropic-beta", asked.betas);
                }
                const auto ask = [&]() -> awaitable<void> {
                  cell.got = co_await gateway_test::send(http, std::move(request));
                };
                const auto serve = [&]() -> awaitable<void> { co_await server.serve(port); };
                co_await race(serve(), ask());
              });
  cell.exchanges.assign(server.exchanges().begin(), server.exchanges().end());
  cell.losses = cell.got.headers.find("x-understudy-losses").value_or("");
  cell.one_request = cell.exchanges.size() == 1 && world.servers[0].requests() == 1;
  cell.accepted = cell.got.status == 200 && cell.one_request && !cell.exchanges[0].refusal;
  if (!cell.accepted) {
    return cell;
  }
  for (const auto& marker : matrix_cell::markers_of(asked.body)) {
    if (cell.losses.empty() && cell.exchanges[0].body.find(marker) == std::string::npos) {
      cell.unnamed.push_back(marker);
    }
  }
  cell.said = answer_of(strict, cell.exchanges[0]);
  compare(cell, asked, cell.said, stream);
  return cell;
}

/// The cells of one back end.
struct Row {
  std::size_t cells = 0;
  std::size_t accepted = 0;
  std::size_t refused = 0;  // before sending, with a reason that names what the client asked for
  std::size_t calls = 0;    // answers with a call
  std::size_t reasoned = 0;
  std::size_t losses = 0;  // cells with losses, all named
};

std::string line(std::string name, const Row& row) {
  name.resize(26, ' ');
  for (const auto n : {row.cells, row.accepted, row.refused, row.calls, row.reasoned, row.losses}) {
    const auto text = std::to_string(n);
    name += std::string(text.size() < 9 ? 9 - text.size() : 1, ' ') + text;
  }
  return name + "\n";
}

/// Every back end that a provider of the configuration can be; Vertex AI's path names the model.
Row run_matrix(const std::vector<AgentRequest>& requests) {
  Row all;
  std::string table =
      "back end                      cells accepted  refused    calls reasoned   losses\n";
  for (const auto id : StrictBackends::embedded().ids()) {
    if (id == "vertex-anthropic") {
      continue;
    }
    const auto& strict = StrictBackends::embedded().backend(id);
    Row row;
    for (const auto& request : requests) {
      for (const bool stream : {false, true}) {
        const auto cell = cell_of(request, strict, stream);
        const bool refused = cell.got.status == 400 && cell.exchanges.empty() &&
                             cell.got.has("unsupported_request") &&
                             cell.got.has("`compaction_trigger`") &&
                             has(request, "compaction_trigger");
        CAPTURE(request.name);
        CAPTURE(std::string(id));
        CAPTURE(stream);
        CAPTURE(cell.got.status);
        CAPTURE(cell.got.header("x-understudy-why"));
        CHECK((cell.accepted || refused));
        CHECK(cell.complaints == "");
        CHECK(cell.unnamed == std::vector<std::string>());
        ++row.cells;
        row.accepted += cell.accepted ? 1 : 0;
        row.refused += refused ? 1 : 0;
        row.calls += cell.said.calls.empty() ? 0 : 1;
        row.reasoned += cell.said.reasoning.empty() ? 0 : 1;
        row.losses += cell.losses.empty() ? 0 : 1;
      }
    }
    table += line(std::string(id), row);
    all.cells += row.cells;
    all.accepted += row.accepted;
    all.refused += row.refused;
    all.calls += row.calls;
    all.reasoned += row.reasoned;
    all.losses += row.losses;
  }
  MESSAGE("\n" << table << line("all", all));
  return all;
}

TEST_CASE(
    "agents' requests whose own maker is overloaded: each back end accepts them at the first "
    "attempt, and the answer has the form of the client's protocol") {
  std::vector<AgentRequest> requests;
  for (const auto* const name :
       {"a-claude-first", "a-claude-compacted", "c-opencode", "c-sdk-custom-tool", "r-conv-codex",
        "r-codex-compaction-trigger"}) {
    requests.push_back(agent_requests::load(name));
  }
  const auto all = run_matrix(requests);
  CHECK(all.cells == 312);
  CHECK(all.calls > 200);
  CHECK(all.reasoned > 50);
}

TEST_SUITE("full") {
  TEST_CASE(
      "agents' requests whose own maker is overloaded: all requests at all back ends, streamed and "
      "whole") {
    const auto all = run_matrix(agent_requests::all());
    CHECK(all.cells == 1508);
    CHECK(all.accepted == 1464);
  }
}

}  // namespace fallback_matrix
