// The cost of every translation and assembly, against the size of what comes from outside.
#include "../growth.hpp"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/translate.hpp"

namespace growth_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

constexpr auto anthropic = Protocol::anthropic_messages;
constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;
constexpr std::array protocols{anthropic, chat, responses};

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

std::string numbered(std::string_view text, std::size_t n) {
  return std::string(text) + std::to_string(n);
}

// ---- Requests ----

/// What a client may send, in about `bytes` bytes of any protocol's JSON.
struct RequestShape {
  std::string_view name;
  void (*fill)(Request& request, std::size_t bytes);
};

void ask_first(Request& request) { request.messages.emplace_back(Role::user, "hi"); }

/// `count` calls in one turn, and results for them in the order of `result_of`.
template <class IdOf, class ResultOf>
void add_calls(Request& request, std::size_t count, IdOf id_of, ResultOf result_of) {
  ask_first(request);
  auto& calls = request.messages.emplace_back(Role::assistant).parts;
  for (std::size_t i = 0; i < count; ++i) {
    calls.emplace_back(ToolCallPart(id_of(i), "f", "{}"));
  }
  auto& results = request.messages.emplace_back(Role::user).parts;
  for (std::size_t i = 0; i < count; ++i) {
    results.emplace_back(ToolResultPart(id_of(result_of(i)), "ok"));
  }
}

constexpr std::size_t bytes_a_call = 200;  // with its result

const RequestShape request_shapes[] = {
    {"many messages",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 100; ++i) {
         request.messages.emplace_back(i % 2 == 0 ? Role::user : Role::assistant, "a few words");
       }
     }},
    {"many messages of one role",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 100; ++i) {
         request.messages.emplace_back(Role::user, "a few words");
       }
     }},
    {"many tool calls",
     [](Request& request, std::size_t bytes) {
       add_calls(
           request, bytes / bytes_a_call, [](std::size_t i) { return numbered("call_", i); },
           [](std::size_t i) { return i; });
     }},
    {"many tool calls of one id",
     [](Request& request, std::size_t bytes) {
       add_calls(
           request, bytes / bytes_a_call, [](std::size_t) { return std::string("call_1"); },
           [](std::size_t i) { return i; });
     }},
    {"many tool calls of one id that must be replaced",
     [](Request& request, std::size_t bytes) {
       add_calls(
           request, bytes / bytes_a_call, [](std::size_t) { return std::string("call:1"); },
           [](std::size_t i) { return i; });
     }},
    {"many tool calls whose ids become the same",
     [](Request& request, std::size_t bytes) {
       add_calls(
           request, bytes / bytes_a_call,
           [](std::size_t i) {
             std::string id;
             for (; id.size() < 20; i /= 8) {
               id += ".:;,!?#+"[i % 8];
             }
             return id;
           },
           [](std::size_t i) { return i; });
     }},
    {"results in reverse order",
     [](Request& request, std::size_t bytes) {
       const auto count = bytes / bytes_a_call;
       add_calls(
           request, count, [](std::size_t i) { return numbered("call_", i); },
           [count](std::size_t i) { return count - 1 - i; });
     }},
    {"results without calls",
     [](Request& request, std::size_t bytes) {
       add_calls(
           request, bytes / bytes_a_call, [](std::size_t i) { return numbered("call_", i); },
           [](std::size_t i) { return i + 10'000'000; });
     }},
    {"many turns with a call",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / bytes_a_call; ++i) {
         add_calls(
             request, 1, [](std::size_t) { return std::string("call_1"); },
             [](std::size_t k) { return k; });
       }
     }},
    {"calls with broken arguments",
     [](Request& request, std::size_t bytes) {
       ask_first(request);
       for (std::size_t i = 0; i < bytes / bytes_a_call; ++i) {
         request.messages.emplace_back(Role::assistant)
             .parts.emplace_back(
                 ToolCallPart(numbered("call_", i), numbered("tool_", i), "{\"a\":"));
       }
     }},
    {"interleaved reasoning and text",
     [](Request& request, std::size_t bytes) {
       ask_first(request);
       for (std::size_t i = 0; i < bytes / 250; ++i) {
         auto& parts = request.messages.emplace_back(Role::assistant).parts;
         ReasoningPart thought{Origin(*request.origin)};
         thought.text = "hm";
         thought.seal = "sealed";
         parts.emplace_back(std::move(thought));
         parts.emplace_back(TextPart("so"));
       }
     }},
    {"many content parts",
     [](Request& request, std::size_t bytes) {
       auto& parts = request.messages.emplace_back(Role::user).parts;
       for (std::size_t i = 0; i < bytes / 50; ++i) {
         parts.emplace_back(TextPart("a few words"));
       }
     }},
    {"one huge text",
     [](Request& request, std::size_t bytes) {
       std::string text;
       while (text.size() < bytes) {
         text += "north \"tank\" caf\u00e9\n";
       }
       request.messages.emplace_back(Role::user, std::move(text));
     }},
    {"many texts of the system",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 50; ++i) {
         request.system.emplace_back("a few words");
       }
       ask_first(request);
     }},
    {"many tools with alternatives in their schemas",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 150; ++i) {
         request.tools.emplace_back(numbered("tool_", i), "does something", R"({"oneOf":[{}]})");
         request.tools.back().strict = true;
       }
       ask_first(request);
     }},
    {"many fields that only one protocol knows",
     [](Request& request, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 50; ++i) {
         request.extra.emplace_back(numbered("field_with_a_name_", i), "1");
       }
       ask_first(request);
     }},
    {"deeply nested arguments",
     [](Request& request, std::size_t bytes) {
       constexpr std::size_t depth = 500;
       const auto nested = std::string(depth, '[') + std::string(depth, ']');
       ask_first(request);
       auto& calls = request.messages.emplace_back(Role::assistant).parts;
       for (std::size_t i = 0; i < bytes / (2 * depth + 100); ++i) {
         calls.emplace_back(ToolCallPart(numbered("call_", i), "f", "{\"a\":" + nested + "}"));
       }
     }},
};

std::string body_of(const RequestShape& shape, Protocol protocol, std::size_t bytes) {
  Request request("m");
  request.origin = protocol;
  shape.fill(request, bytes);
  std::string body;
  codec_for(protocol).write_request(request, body);
  return body;
}

std::string translated(std::string_view body, Protocol from, Protocol into) {
  auto request = codec_for(from).read_request(body);
  REQUIRE(request.has_value());
  const auto done = translate(*request, TranslationTarget(into, "p", "m"));
  std::string out;
  codec_for(into).write_request(done.request, out);
  return out;
}

void check_translation(std::string_view name, Protocol from, Protocol into, std::size_t bytes,
                       const std::function<std::string(std::size_t)>& make) {
  const auto found = growth::of(
      [&](std::size_t size) {
        return [body = make(size), from, into] { translated(body, from, into); };
      },
      bytes);
  CHECK_MESSAGE(found.ratio() <= growth::linear, name, ", ", to_string(from), " to ",
                to_string(into), ", from ", bytes / kib, " KiB: ", found);
}

/// Bodies that only one protocol has a form for.
struct ProtocolBody {
  std::string_view name;
  Protocol protocol;
  std::string (*make)(std::size_t bytes);
};

std::string repeated(std::string_view begin, std::string_view piece, std::string_view end,
                     std::size_t bytes) {
  std::string out(begin);
  while (out.size() < bytes) {
    out += piece;
  }
  return out.append(end);
}

const ProtocolBody body_shapes[] = {
    {"instructions again and again", responses,
     [](std::size_t bytes) {
       return repeated(R"({"model":"m","input":"hi")", R"(,"instructions":"x")", "}", bytes);
     }},
    {"reasoning, then empty messages", responses,
     [](std::size_t bytes) {
       auto begin = repeated(R"({"model":"m","input":[)", R"({"type":"reasoning","summary":[]},)",
                             "", bytes / 2);
       return repeated(begin, R"({"role":"assistant","content":[]},)",
                       R"({"role":"user","content":"hi"}]})", bytes);
     }},
    {"images in results", anthropic,
     [](std::size_t bytes) {
       return repeated(
           R"({"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[)",
           R"({"type":"image","source":{"type":"url","url":"https://x"}},)",
           R"({"type":"text","text":"."}]}]}]})", bytes);
     }},
    {"parts of many types that are not known", anthropic,
     [](std::size_t bytes) {
       std::string out = R"({"model":"m","messages":[{"role":"user","content":[)";
       for (std::size_t i = 0; out.size() < bytes; ++i) {
         out += R"({"type":"server_thing_)" + std::to_string(i) + R"("},)";
       }
       return out + R"({"type":"text","text":"."}]}]})";
     }},
    {"custom calls", chat,
     [](std::size_t bytes) {
       return repeated(
           R"({"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[)",
           R"({"id":"c","type":"custom","custom":{"name":"f","input":"x"}},)",
           R"({"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]}]})", bytes);
     }},
    {"namespaces of tools with long names", responses,
     [](std::size_t bytes) {
       std::string out = R"({"model":"m","input":"hi","tools":[)";
       const std::string name(100, 'n');
       for (std::size_t i = 0; out.size() < bytes; ++i) {
         const auto n = std::to_string(i);
         out += R"({"type":"namespace","name":"mcp__)" + n + R"(","tools":[)";
         for (std::size_t k = 0; k < 10; ++k) {
           out += R"({"type":"function","name":")" + name + n + "_" + std::to_string(k) + R"("},)";
         }
         out += R"({"type":"custom","name":"c"}]},)";
       }
       return out + R"({"type":"function","name":"f"}]})";
     }},
    {"tools whose names become the same", responses,
     [](std::size_t bytes) {
       std::string out = R"({"model":"m","input":"hi","tools":[)";
       for (std::size_t i = 0; out.size() < bytes; ++i) {
         std::string name;
         for (auto rest = i; name.size() < 20; rest /= 8) {
           name += ".:;,!?#+"[rest % 8];
         }
         out += R"({"type":"function","name":")" + name + R"("},)";
       }
       return out + R"({"type":"function","name":"f"}]})";
     }},
    {"searches that find the same tools", responses,
     [](std::size_t bytes) {
       return repeated(
           R"({"model":"m","input":[{"role":"user","content":"hi"})",
           R"(,{"type":"tool_search_call","call_id":"c","execution":"client","arguments":{}})"
           R"(,{"type":"tool_search_output","call_id":"c","execution":"client","tools":)"
           R"([{"type":"function","name":"f"},{"type":"function","name":"g"}]})",
           "]}", bytes);
     }},
    {"compactions", anthropic,
     [](std::size_t bytes) {
       return repeated(R"({"model":"m","messages":[{"role":"assistant","content":[)",
                       R"({"type":"compaction","content":"x"},{"type":"text","text":"y"},)",
                       R"({"type":"text","text":"."}]}]})", bytes);
     }},
};

void check_requests(std::size_t bytes, bool every_pair) {
  for (std::size_t p = 0; p < protocols.size(); ++p) {
    for (std::size_t step = 0; step < protocols.size(); ++step) {
      if (!every_pair && step != 1) {
        continue;
      }
      const auto from = protocols[p];
      const auto into = protocols[(p + step) % protocols.size()];
      for (const auto& shape : request_shapes) {
        check_translation(shape.name, from, into, bytes,
                          [&](std::size_t size) { return body_of(shape, from, size); });
      }
      for (const auto& shape : body_shapes) {
        if (shape.protocol == from) {
          check_translation(shape.name, from, into, bytes, shape.make);
        }
      }
    }
  }
}

// ---- Answers ----

using Write = std::function<void(const Event::Body&)>;

/// What a provider may answer, in about `bytes` bytes of a stream.
struct AnswerShape {
  std::string_view name;
  void (*say)(const Write& write, std::size_t bytes);
};

const AnswerShape answer_shapes[] = {
    {"many small deltas",
     [](const Write& write, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 150; ++i) {
         write(Text(0, "word "));
       }
     }},
    {"interleaved reasoning and text",
     [](const Write& write, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 600; ++i) {
         write(Reasoning(2 * i, "hm"));
         write(Text(2 * i + 1, "so"));
       }
     }},
    {"many tool calls",
     [](const Write& write, std::size_t bytes) {
       for (std::size_t i = 0; i < bytes / 600; ++i) {
         const auto id = numbered("call_", i);
         write(ToolStart(i, id, "f"));
         write(ToolArguments(i, "{}"));
         write(ToolEnd(i, true));
       }
     }},
    {"arguments of many open calls in turn",
     [](const Write& write, std::size_t bytes) {
       constexpr std::size_t open = 900;
       for (std::size_t i = 0; i < open; ++i) {
         const auto id = numbered("call_", i);
         write(ToolStart(i, id, "f"));
       }
       for (std::size_t i = 0; i < bytes / 150; ++i) {
         write(ToolArguments(i % open, " "));
       }
       for (std::size_t i = 0; i < open; ++i) {
         write(ToolEnd(i, true));
       }
     }},
    {"a call that stays open beside many others",
     [](const Write& write, std::size_t bytes) {
       const auto count = bytes / 700;
       write(ToolStart(0, "call_0", "f"));
       for (std::size_t i = 1; i < count; ++i) {
         const auto id = numbered("call_", i);
         write(ToolStart(i, id, "f"));
         write(ToolEnd(i, true));
         write(ToolArguments(0, " "));
       }
       write(ToolEnd(0, true));
     }},
    {"one huge delta",
     [](const Write& write, std::size_t bytes) {
       std::string text;
       while (text.size() < bytes) {
         text += "north \"tank\" caf\u00e9\n";
       }
       write(Text(0, text));
     }},
};

/// The events of an answer, in order.
void say(const AnswerShape& shape, std::size_t bytes, const Write& write) {
  write(Start("answer_1", "m"));
  shape.say(write, bytes);
  write(Finish(FinishReason::stop, "stop"));
  write(Usage());
  write(End());
}

/// As a provider of that protocol streams it.
std::string streamed(const AnswerShape& shape, Protocol protocol, std::size_t bytes) {
  const auto encoder = codec_for(protocol).encoder(Request());
  std::string out;
  say(shape, bytes, [&](const Event::Body& body) { encoder->write(Event(body), out); });
  return out;
}

constexpr std::size_t bytes_a_read = 16 * kib;

template <class Take>
void decode(Protocol protocol, std::string_view bytes, Take take) {
  EventDecoder decoder(protocol, BodyShape::stream, 64 * mib);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes_a_read, bytes.size()))) {
    decoder.feed(bytes.substr(0, bytes_a_read));
    while (const Event* event = decoder.next()) {
      take(*event);
    }
  }
}

void check_answer(std::string_view name, std::string_view what, Protocol from, Protocol into,
                  std::size_t bytes,
                  const std::function<std::function<void()>(std::size_t)>& prepare) {
  const auto found = growth::of(prepare, bytes);
  CHECK_MESSAGE(found.ratio() <= growth::linear, name, ", ", what, ", ", to_string(from), " to ",
                to_string(into), ", from ", bytes / kib, " KiB: ", found);
}

void assemble(std::string_view stream, Protocol from, Protocol into) {
  Answer answer;
  decode(from, stream, [&](const Event& event) { answer.add(event); });
  std::string whole;
  codec_for(into).write_answer(answer, Request(), whole);
  EventDecoder decoder(into, BodyShape::whole, 256 * mib);
  decoder.feed(whole);
  decoder.end();
  while (decoder.next() != nullptr) {
  }
}

void check_answers(std::size_t bytes, bool every_pair) {
  for (std::size_t p = 0; p < protocols.size(); ++p) {
    for (std::size_t step = 0; step < protocols.size(); ++step) {
      const auto from = protocols[p];
      const auto into = protocols[(p + step) % protocols.size()];
      for (const auto& shape : answer_shapes) {
        const auto make = [&](std::size_t size) { return streamed(shape, from, size); };
        if (every_pair || step == 1) {
          check_answer(shape.name, "streamed", from, into, bytes, [&](std::size_t size) {
            return [stream = make(size), from, into] {
              const auto encoder = codec_for(into).encoder(Request());
              std::string out;
              decode(from, stream, [&](const Event& event) {
                encoder->write(event, out);
                out.clear();
              });
            };
          });
        }
        if (every_pair || step == 2) {
          check_answer(shape.name, "whole", from, into, bytes, [&](std::size_t size) {
            return [stream = make(size), from, into] { assemble(stream, from, into); };
          });
        }
        if (step == 0) {
          check_answer(shape.name, "forwarded", from, into, bytes, [&](std::size_t size) {
            return [stream = make(size), from, into] {
              const auto encoder = codec_for(into).encoder(Request());
              decode(from, stream, [&](const Event& event) { encoder->follow(event); });
            };
          });
        }
      }
    }
  }
}

/// Streams that only one protocol has a form for, or a server with faults alone sends.
struct StreamShape {
  std::string_view name;
  Protocol protocol;
  std::string (*make)(std::size_t bytes);
};

std::string chunk(std::string_view choice) {
  return R"(data: {"id":"c","object":"chat.completion.chunk","choices":[{)" + std::string(choice) +
         "}]}\n\n";
}

const StreamShape stream_shapes[] = {
    {"many choices", chat,
     [](std::size_t bytes) {
       std::string out;
       for (std::size_t i = 0; out.size() < bytes; ++i) {
         out += chunk(R"("index":)" + std::to_string(i) + R"(,"delta":{"content":"x"})");
       }
       return out;
     }},
    {"the index behind the delta, beside calls with long ids", chat,
     [](std::size_t bytes) {
       std::string out;
       const std::string id(bytes / 1000, 'i');
       for (std::size_t i = 0; i < 500; ++i) {
         const auto n = std::to_string(i);
         out += chunk(R"("index":0,"delta":{"tool_calls":[{"index":)" + n + R"(,"id":")" + id + n +
                      R"(","function":{"name":"f","arguments":"{}"}}]})");
       }
       return repeated(out, chunk(R"("delta":{"content":""},"index":0)"), "", bytes);
     }},
    {"a long id of the answer, and many deltas", anthropic,
     [](std::size_t bytes) {
       return repeated(
           "data: {\"type\":\"message_start\",\"message\":{\"id\":\"" +
               std::string(bytes / 8, 'i') + "\",\"model\":\"" + std::string(bytes / 8, 'm') +
               "\"}}\n\n",
           "data: "
           R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}})"
           "\n\n",
           "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
           "data: {\"type\":\"message_stop\"}\n\n",
           bytes);
     }},
    {"a block that stays open beside many others", anthropic,
     [](std::size_t bytes) {
       std::string out =
           "data: {\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"model\":\"m\"}}\n\n";
       for (std::size_t i = 1; out.size() < bytes; ++i) {
         const auto n = std::to_string(i);
         for (const auto& index : {n, std::string("0")}) {
           out += R"(data: {"type":"content_block_delta","index":)" + index +
                  R"(,"delta":{"type":"text_delta","text":"x"}})" + "\n\n";
         }
         out += R"(data: {"type":"content_block_stop","index":)" + n + "}\n\n";
       }
       return out;
     }},
    {"an event of many lines", anthropic,
     [](std::size_t bytes) {
       return repeated("data: {\"type\":\"ping\",\n", "data: \"x\":1,\n", "data: \"y\":2}\n\n",
                       bytes);
     }},
    {"members again and again", responses,
     [](std::size_t bytes) {
       return repeated(R"(data: {"type":"response.output_text.delta","delta":"x")",
                       R"(,"sequence_number":1)", "}\n\n", bytes);
     }},
    {"parts of one item", responses,
     [](std::size_t bytes) {
       std::string out;
       for (std::size_t i = 0; out.size() < bytes; ++i) {
         out += R"(data: {"type":"response.output_text.delta","output_index":0,"content_index":)" +
                std::to_string(i % 1000) + R"(,"delta":"x"})" + "\n\n";
       }
       return out;
     }},
};

void check_streams(std::size_t bytes) {
  for (const auto& shape : stream_shapes) {
    for (const auto into : protocols) {
      check_answer(shape.name, "streamed", shape.protocol, into, bytes, [&](std::size_t size) {
        return [stream = shape.make(size), from = shape.protocol, into] {
          const auto encoder = codec_for(into).encoder(Request());
          Answer answer;
          std::string out;
          decode(from, stream, [&](const Event& event) {
            encoder->write(event, out);
            out.clear();
            answer.add(event);
          });
          codec_for(into).write_answer(answer, Request(), out);
        };
      });
    }
  }
}

}  // namespace

TEST_CASE(
    "one small body does not occupy a worker: the cost of a translation grows with its size") {
  check_requests(256 * kib, false);
}

TEST_CASE("the cost of an answer grows with its size: streamed, whole, and forwarded") {
  check_answers(256 * kib, false);
}

TEST_CASE("the cost of a stream grows with its size, whatever a faulty server sends") {
  check_streams(256 * kib);
}

TEST_CASE("the input of a custom call costs as much as its size, in whatever pieces it comes") {
  for (const auto into : {chat, responses}) {
    const auto found = growth::of(
        [into](std::size_t bytes) {
          return [into, bytes, white = std::string(bytes, ' ')] {
            const auto encoder = codec_for(into).encoder(Request());
            std::string out;
            const auto write = [&](const Event::Body& body) {
              encoder->write(Event(body), out);
              out.clear();
            };
            ToolStart start(0, "call_0", "f");
            start.form = ToolForm::custom;
            write(Start("answer_1", "m"));
            write(start);
            for (std::size_t i = 0; i < bytes / 8; ++i) {
              write(ToolArguments(0, std::string_view(white).substr(0, 1)));
            }
            write(ToolArguments(0, "{\"input\":\""));
            for (std::size_t i = 0; i < bytes / 8; ++i) {
              write(ToolArguments(0, "\\u0041"));
            }
            write(ToolArguments(0, "\""));
            write(ToolArguments(0, white));
            write(ToolArguments(0, "}x"));
            write(ToolEnd(0, true));
          };
        },
        256 * kib);
    CHECK_MESSAGE(found.ratio() <= growth::linear, to_string(into), ": ", found);
  }
}

TEST_CASE("a body of the same protocol is edited in linear time") {
  const auto found = growth::of(
      [](std::size_t bytes) {
        return [body = repeated(R"({"model":"m","x":1)", R"(,"model":"m","y":[{}])", "}", bytes)] {
          REQUIRE(with_members(body, {{"model", "\"n\""}, {"stream", "true"}}).has_value());
          REQUIRE(member_text(body, "model").has_value());
        };
      },
      8 * mib);  // beyond the caches: below, twice the size costs more than twice as much
  CHECK_MESSAGE(found.ratio() <= growth::linear, found);
}

TEST_SUITE("full") {
  TEST_CASE("up to 30 MiB, every translation") {
    for (const auto bytes : {mib, 4 * mib, 15 * mib}) {
      check_requests(bytes, true);
    }
  }

  TEST_CASE("up to 30 MiB, every assembly") {
    for (const auto bytes : {mib, 4 * mib, 15 * mib}) {
      check_answers(bytes, true);
      check_streams(bytes);
    }
  }
}

}  // namespace growth_test
