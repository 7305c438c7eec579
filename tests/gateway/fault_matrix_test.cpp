// Every way in which an answer breaks, at every place in it, for every pair of protocols and every client: the client
// gets a complete answer, as long as a member is left that can give it (docs/failover.md 9.6).
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "../llm/strict_client.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

const std::string lead_text = "the north tank is at seventy one percent now";
const std::string north = R"({"tank": "north"})";
const std::string south = R"({"tank": "south"})";

struct Row {
  std::string name;
  Fault fault;
};

const std::vector<Row>& faults() {
  static const std::vector<Row> all{
      {"silence", Fault::silence()},
      {"heartbeats alone", Fault::silence(1s)},
      {"a reset", Fault::reset()},
      {"a FIN", Fault::close()},
      {"a truncated chunk", Fault::truncated_chunk()},
      {"the body's end", Fault::end()},
      {"an error event", Fault::error("overloaded_error", "Overloaded")},
      {"a hole", Fault::bytes("data: {no JSON\n\n")},
  };
  return all;
}

/// What the lead says: a thought, text and two calls, 10 ms for each event.
Reply lead_answer() {
  return Reply::answer("")
      .think("let me see")
      .say(lead_text)
      .call("call_a", "read_level", north)
      .call("call_b", "read_level", south)
      .dripping(10ms);
}

/// The start, three thoughts, nine words; each call with its begin and two pieces; the finish and the end.
constexpr std::size_t lead_events = 1 + 3 + 9 + 2 * 3 + 2;

/// How a fallback answers: in its own words, and, if it is asked to resume an answer, as it is asked.
enum class Manner : unsigned char { repeats_tail, repeats_all, same_words };

Reply fallback_answer(const std::string& body, Manner manner) {
  constexpr std::string_view begins = "<answer>";
  const auto at = body.find(begins);
  std::string text = manner == Manner::same_words ? lead_text : "I read two levels, as follows";
  if (at != std::string::npos && manner != Manner::same_words) {
    const auto quoted =
        body.substr(at + begins.size(), body.find("</answer>", at) - at - begins.size());
    const auto back = quoted.size() - std::min<std::size_t>(quoted.size(), 40);
    const auto space = back == 0 ? std::string::npos : quoted.find(' ', back);
    text =
        (manner == Manner::repeats_all || space == std::string::npos ? quoted
                                                                     : quoted.substr(space + 1)) +
        ", as follows";
  }
  return Reply::answer(text)
      .call("call_x", "read_level", north)
      .call("call_y", "read_level", south);
}

std::string config_of(Protocol lead, Protocol fallback, std::size_t members) {
  std::string text =
      "[stall]\nfirst_progress = \"5s\"\nstale = \"5s\"\n[server]\nkeep_alive = \"1h\"\n";
  std::string chain;
  for (std::size_t i = 0; i < members; ++i) {
    const auto name = "p" + std::to_string(i);
    const bool last = i + 1 == members && members > 1;
    text += "[providers." + name + "]\nprotocol = \"" +
            std::string(to_string(last ? fallback : lead)) + "\"\nbase_url = \"http://" + name +
            ".test:" + std::to_string(8001 + i) + "/v1\"\n";
    chain += (i == 0 ? "{provider = \"" : ", {provider = \"") + name + "\", model = \"m\"}";
  }
  return text + "[[routes]]\nmodel = \"any\"\nchain = [" + chain + "]\n";
}

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// Nothing if the client got a complete answer: the lead's, the fallback's, or the one up to a word and the other from
/// there on; with both calls, or with the first alone if the lead had made it.
std::string complaint(const Got& got, const Path& path, bool streamed) {
  if (got.status != 200) {
    return "status " + std::to_string(got.status) + ": " + got.body.substr(0, 200);
  }
  const auto shape = streamed ? BodyShape::stream : BodyShape::whole;
  const auto heard = read(got, path.protocol, shape);
  if (heard.ending != Ending::complete) {
    return "no end: " +
           got.body.substr(got.body.size() - std::min<std::size_t>(got.body.size(), 300));
  }
  if (streamed) {
    const auto verdict = strict_client::read(path.protocol, got.body);
    if (!verdict.complaint.empty()) {
      return "the strictest client: " + verdict.complaint;
    }
  }
  const auto text = heard.answer.text();
  constexpr std::string_view suffix = ", as follows";
  const bool joined =
      text.ends_with(suffix) && lead_text.starts_with(text.substr(0, text.size() - suffix.size()));
  if (text != lead_text && text != "I read two levels, as follows" && !joined) {
    return "text: " + text;
  }
  std::vector<std::string> calls;
  bool leads = false;
  for (const auto& block : heard.answer.blocks) {
    if (block.kind == AnswerBlock::Kind::tool_call) {
      calls.push_back(without_spaces(block.arguments));
      leads = leads || block.id == "call_a";
    }
  }
  const std::vector<std::string> both{without_spaces(north), without_spaces(south)};
  const bool first_alone = streamed && leads && calls == std::vector<std::string>{both[0]};
  if (calls != both && !first_alone) {
    return std::to_string(calls.size()) + " calls";
  }
  return heard.answer.finish == FinishReason::tool_use ? "" : "another finish";
}

struct Counts {
  std::size_t rows = 0;
  std::size_t complete = 0;
};

/// One cell. `members`: 1, where the lead is well the second time; 2; or 3, of which two break in the same way.
void check_cell(const Row& row, std::size_t place, Protocol lead, Protocol fallback,
                const Path& path, bool streamed, std::size_t members, Manner manner,
                Counts& counts) {
  GatewayWorld world;
  for (std::size_t i = 0; i < members; ++i) {
    auto& server = world.add();
    const bool well = i + 1 == members && members > 1;
    auto reply = [&row, place, well, manner,
                  asked = std::size_t{0}](const testing::SeenRequest& request) mutable {
      return well || asked++ > 0 ? fallback_answer(request.body, manner)
                                 : std::move(lead_answer().after(place, row.fault));
    };
    server.reply_to("m", reply);
  }
  std::string body = path.body;
  if (!streamed) {
    body.replace(body.find(R"("stream":true)"), 13, R"("stream":false)");
  }
  const Path asked{path.protocol, path.path, body.c_str()};
  world.serve(world.config(config_of(lead, fallback, members)),
              [&](HttpClient& http) -> awaitable<void> {
                const auto got = co_await post(http, asked);
                const auto wrong = complaint(got, asked, streamed);
                ++counts.rows;
                counts.complete += wrong.empty() ? 1 : 0;
                CHECK_MESSAGE(wrong.empty(), row.name, " after ", place, " events of ",
                              to_string(lead), ", then ", to_string(fallback), "; client ",
                              to_string(asked.protocol), streamed ? ", streamed, " : ", whole, ",
                              members, " members, manner ", static_cast<int>(manner), ": ", wrong);
              });
}

void check_matrix(std::size_t stride) {
  Counts counts;
  std::size_t cell = 0;
  for (const auto& row : faults()) {
    for (std::size_t place = 0; place < lead_events - 1; ++place) {
      for (const auto lead : protocols) {
        for (const auto fallback : protocols) {
          for (const auto& path : paths()) {
            for (const bool streamed : {true, false}) {
              for (std::size_t members = 1; members <= 3; ++members) {
                if (cell++ % stride == 0) {
                  const auto manner = static_cast<Manner>(cell / stride % 3);
                  check_cell(row, place, lead, fallback, path, streamed, members, manner, counts);
                }
              }
            }
          }
        }
      }
    }
  }
  MESSAGE(counts.complete, " of ", counts.rows, " answers complete");
}

}  // namespace

TEST_CASE("however and wherever an answer breaks, the client gets a complete one") {
  check_matrix(37);
}

TEST_SUITE("full") {
  TEST_CASE("however and wherever an answer breaks, the client gets a complete one: all cells") {
    check_matrix(1);
  }
}
