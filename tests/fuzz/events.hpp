/// Any bytes as a provider's answer: however they are cut, and whether a payload is parsed or read by
/// comparing it with the one before, the same events come out; and whoever writes them on is not troubled.
/// And the whole answer is valid JSON.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "../llm/stream_fixtures.hpp"
#include "understudy/llm/answer.hpp"
#include "understudy/llm/answer_fold.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/net/sse.hpp"

namespace understudy::fuzz {

using namespace llm;

inline void write_on(Protocol protocol, std::string_view bytes, Protocol into) {
  const auto encoder = codec_for(into).encoder(Request());
  EventDecoder decoder(protocol);
  decoder.feed(bytes);
  std::string out;
  Answer answer;
  for (const bool more : {true, false}) {
    while (const Event* event = decoder.next()) {
      encoder->write(*event, out);
      forward(*event, "model", out);
      answer.add(*event);
    }
    if (more) {
      decoder.end();
    }
  }
  codec_for(into).write_answer(answer, Request(), out);
}

/// The whole answer in the provider's own form, or nothing if that failed.
inline std::optional<std::string> folded(Protocol protocol,
                                         std::initializer_list<std::string_view> pieces,
                                         BodyShape shape) {
  EventDecoder decoder(protocol, shape);
  Answer typed;
  AnswerFold fold(protocol, shape);
  for (const auto piece : pieces) {
    decoder.feed(piece);
    fold.feed(piece);
    while (const Event* event = decoder.next()) {
      typed.add(*event);
    }
  }
  decoder.end();
  while (const Event* event = decoder.next()) {
    typed.add(*event);
  }
  if (!typed.finish || typed.id.empty()) {
    return std::nullopt;  // a fold is of complete answers; of others, ids and times are made up
  }
  auto answer = fold.finish(typed);
  return answer ? std::optional(std::move(*answer)) : std::nullopt;
}

inline bool has_large_integer(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 18) {
      return true;
    }
  }
  return false;
}

/// It does not depend on how the bytes are cut, and is valid JSON.
inline void fold_on(Protocol protocol, std::string_view bytes, std::size_t cut) {
  for (const auto shape : {BodyShape::stream, BodyShape::whole}) {
    const auto once = folded(protocol, {bytes}, shape);
    const bool same = once == folded(protocol, {bytes.substr(0, cut), bytes.substr(cut)}, shape);
    simdjson::dom::parser parser;
    const auto failure = once ? parser.parse(*once).error() : simdjson::SUCCESS;
    // simdjson's numbers have 64 bits; JSON's have no limit.
    const bool large = failure == simdjson::NUMBER_ERROR || (once && has_large_integer(*once));
    if (!same || (failure != simdjson::SUCCESS && !large)) {
      std::abort();
    }
  }
}

/// The same stream with events that say nothing in between, after which the next is parsed.
inline std::string apart(Protocol protocol, std::string_view bytes) {
  SseParser sse;
  sse.feed(bytes);
  std::string out;
  bool ended = false;
  while (true) {
    const SseBlock* const block = sse.next();
    if (block == nullptr && !ended) {
      ended = true;
      sse.end();
      continue;
    }
    if (block == nullptr) {
      break;
    }
    if (block->heartbeat) {
      continue;
    }
    const std::string_view field = block->source == SseSource::data          ? "data: "
                                   : block->source == SseSource::error_field ? "error: "
                                                                             : "";
    out.append("event: ").append(block->name).append("\n").append(field);
    for (const char c : block->data) {
      out += c;
      out += c == '\n' ? field : "";
    }
    out += protocol == Protocol::openai_chat ? "\n\ndata: {}\n\n"
                                             : "\n\ndata: {\"type\":\"ping\"}\n\n";
  }
  return out;
}

/// The events without those that say nothing.
inline std::vector<std::string> of_content(std::vector<std::string> events) {
  std::erase_if(events, [](const std::string& e) {
    return e == "heartbeat" || e == "other chunk" || e == "other after the finish";
  });
  return events;
}

inline int events(Protocol protocol, const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::size_t where = data[0] * 256U + data[1];
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view view(bytes);
  const auto whole = stream_fixtures::decode(protocol, {view});
  const auto cut = std::min(where, view.size());
  if (stream_fixtures::decode(protocol, {view.substr(0, cut), view.substr(cut)}).events !=
      whole.events) {
    std::abort();
  }
  if (of_content(stream_fixtures::decode(protocol, {apart(protocol, view)}).events) !=
      of_content(whole.events)) {
    std::abort();
  }
  stream_fixtures::decode(protocol, {view}, BodyShape::whole);
  fold_on(protocol, view, cut);
  for (const auto into : protocols) {
    write_on(protocol, view, into);
  }
  return 0;
}

}  // namespace understudy::fuzz
