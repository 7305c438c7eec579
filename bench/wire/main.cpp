// Bytes to typed events in bulk against the bare memchr and simdjson loop, and events to bytes: design
// section 9.
#include <simdjson.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "../harness.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace {

using namespace understudy;

constexpr std::size_t events = 4'000;
constexpr std::size_t piece = 16 * 1024;  // what a socket read of a busy stream brings

struct Stream {
  const char* name;
  llm::Protocol protocol;
  std::string bytes;  // without what the loops must not read: `events` deltas and their padding
  std::size_t size;
};

using Words = std::array<std::string_view, 7>;
constexpr Words plain_words{" is", " 71 %", " full", ".", " All", " valves", " are shut"};
constexpr Words one_escaped{" is", " 71 %", " full", R"(.\n\n)", " All", " valves", " are shut"};

/// `event` with TEXT replaced by words of different lengths, and NUMBER and NOISE by what differs in every
/// event.
Stream stream(const char* name, llm::Protocol protocol, std::string_view event,
              const Words& words = plain_words) {
  std::string bytes;
  for (std::size_t i = 0; i < events; ++i) {
    std::string one(event);
    if (const auto at = one.find("NUMBER"); at != std::string::npos) {
      one.replace(at, 6, std::to_string(i));
    }
    if (const auto at = one.find("NOISE"); at != std::string::npos) {
      one.replace(at, 5, std::string(i % 13 + 1, static_cast<char>('a' + i % 26)));
    }
    bytes += one.replace(one.find("TEXT"), 4, words[i % std::size(words)]);
  }
  const auto size = bytes.size();
  bytes.append(sse_padding, '\0');
  return {name, protocol, std::move(bytes), size};
}

/// What a program writes that reads nothing but this stream: the line, the document, the text.
template <class TextOf>
std::size_t bare_loop(const Stream& s, simdjson::ondemand::parser& parser, TextOf text_of) {
  std::size_t said = 0;
  const char* at = s.bytes.data();
  const char* const end = at + s.size;
  while (at < end) {
    const auto* line_end =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const std::string_view line(at, static_cast<std::size_t>(line_end - at));
    if (line.starts_with("data: ")) {
      simdjson::ondemand::document document;
      if (parser.iterate(line.data() + 6, line.size() - 6, line.size() - 6 + sse_padding)
              .get(document) == simdjson::SUCCESS) {
        std::string_view text;
        if (text_of(document).get(text) == simdjson::SUCCESS) {
          said += text.size();
        }
      }
    }
    at = line_end + 1;
  }
  return said;
}

std::size_t bare(const Stream& s, simdjson::ondemand::parser& parser) {
  using Document = simdjson::ondemand::document;
  switch (s.protocol) {
    case llm::Protocol::anthropic_messages:
      return bare_loop(s, parser, [](Document& d) { return d["delta"]["text"].get_string(); });
    case llm::Protocol::openai_chat:
      return bare_loop(s, parser, [](Document& d) {
        return d["choices"].at(0)["delta"]["content"].get_string();
      });
    case llm::Protocol::openai_responses:
      return bare_loop(s, parser, [](Document& d) { return d["delta"].get_string(); });
  }
  return 0;
}

std::size_t ours(const Stream& s, llm::EventDecoder& decoder) {
  std::size_t said = 0;
  for (std::size_t at = 0; at < s.size; at += piece) {
    const auto size = std::min(piece, s.size - at);
    decoder.feed(std::string_view(s.bytes).substr(at, size), sse_padding);
    while (const llm::Event* event = decoder.next()) {
      if (const auto* text = std::get_if<llm::Text>(&event->body)) {
        said += text->text.size();
      }
    }
  }
  return said;
}

std::size_t framing(const Stream& s, SseParser& sse) {
  std::size_t said = 0;
  for (std::size_t at = 0; at < s.size; at += piece) {
    sse.feed(std::string_view(s.bytes).substr(at, std::min(piece, s.size - at)), sse_padding);
    while (const SseBlock* block = sse.next()) {
      said += block->data.size();
    }
  }
  return said;
}

bool decoding(const Stream& s) {
  simdjson::ondemand::parser parser;
  llm::EventDecoder decoder(s.protocol);
  SseParser sse;
  if (bare(s, parser) != ours(s, decoder)) {
    std::printf("%s: the two do not agree\n", s.name);
    return false;
  }
  std::size_t sink = 0;
  const auto way = [&](std::string name, auto once) {
    return bench::Way{std::move(name),
                      [&sink, once](std::uint64_t n) {
                        for (std::uint64_t i = 0; i < n; i += events) {
                          sink += once();
                        }
                      },
                      events,
                      {}};
  };
  std::vector<bench::Way> ways;
  ways.push_back(
      way("the bare loop: memchr, On-Demand, the text", [&] { return bare(s, parser); }));
  ways.push_back(way("EventDecoder, pieces of 16 KiB", [&] { return ours(s, decoder); }));
  ways.push_back(way("of that, SseParser alone", [&] { return framing(s, sse); }));
  bench::measure(ways, 301);  // short rounds: what disturbs one way disturbs the next
  char title[128];
  std::snprintf(title, sizeof title, "Bytes to typed event, %s, %zu bytes an event", s.name,
                s.size / events);
  bench::print(title, ways);
  bool all = bench::reach("of the bare loop",
                          ways[1].figures.nanoseconds / ways[0].figures.nanoseconds, 1.5, "x");
  all &= bench::reach("allocations an event", ways[1].figures.allocations, 0.001, "");
  return all && sink != 0;
}

void encoding(const Stream& s) {
  const auto encoder = llm::codec_for(s.protocol).encoder(llm::Request());
  std::string out;
  const llm::Event delta(llm::Text(0, " is 71 % full"));
  std::vector<bench::Way> ways;
  ways.push_back({"write: typed, a text delta",
                  [&](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      out.clear();
                      encoder->write(delta, out);
                    }
                  },
                  100'000,
                  {}});
  llm::EventDecoder decoder(s.protocol);
  decoder.feed(std::string_view(s.bytes).substr(0, s.bytes.find("\n\n") + 2), sse_padding);
  const llm::Event* forwarded = decoder.next();
  ways.push_back({"pass: the bytes that came, with the model's name replaced",
                  [&](std::uint64_t n) {
                    for (std::uint64_t i = 0; i < n; ++i) {
                      out.clear();
                      forward(*forwarded, "the-client-knows-this", out);
                    }
                  },
                  100'000,
                  {}});
  bench::measure(ways);
  char title[128];
  std::snprintf(title, sizeof title, "Typed event to bytes, %s", s.name);
  bench::print(title, ways);
}

}  // namespace

int main() {
  constexpr const char* end = "}\n\n";
  // OpenAI numbers its deltas, and pads them at random unless it is asked not to.
  constexpr const char* padded_end = R"(,"obfuscation":"NOISE"})"
                                     "\n\n";
  const std::string chat =
      R"(data: {"id":"chatcmpl-FixtureA1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-5.4","service_tier":"default","system_fingerprint":"fp_fixture01","choices":[{"index":0,"delta":{"content":"TEXT"},"logprobs":null,"finish_reason":null}],"usage":null)";
  const std::string anthropic =
      "event: content_block_delta\n"
      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"TEXT"})";
  const std::string responses =
      "event: response.output_text.delta\n"
      R"(data: {"type":"response.output_text.delta",)";
  const std::string said =
      R"("item_id":"msg_Fixture01","output_index":0,"content_index":0,"delta":"TEXT","logprobs":[])";
  const auto numbered = responses + R"("sequence_number":NUMBER,)" + said;
  constexpr auto anthropic_protocol = llm::Protocol::anthropic_messages;
  constexpr auto chat_protocol = llm::Protocol::openai_chat;
  constexpr auto responses_protocol = llm::Protocol::openai_responses;
  const Stream streams[] = {
      stream("Chat Completions", chat_protocol, chat + end),
      stream("Anthropic Messages", anthropic_protocol, anthropic + end),
      stream("Responses", responses_protocol, responses + said + end),
      stream("Chat Completions, no two deltas alike", chat_protocol, chat + padded_end),
      stream("Anthropic Messages, no two deltas alike", anthropic_protocol, anthropic + padded_end),
      stream("Responses, no two deltas alike", responses_protocol, numbered + padded_end),
      stream("Chat Completions, the same, one text in seven escaped", chat_protocol,
             chat + padded_end, one_escaped),
      stream("Anthropic Messages, the same, one text in seven escaped", anthropic_protocol,
             anthropic + padded_end, one_escaped),
      stream("Responses, the same, one text in seven escaped", responses_protocol,
             numbered + padded_end, one_escaped),
  };
  bool all = true;
  for (const auto& s : streams) {
    all &= decoding(s);
    encoding(s);
  }
  std::printf("\n%s\n", all ? "every number was reached" : "some numbers were missed, see above");
}
