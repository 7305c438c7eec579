/// The given streams and what they are to decode to (tests/data/fixtures).
#pragma once

#include <simdjson.h>

#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "understudy/llm/event_decoder.hpp"

namespace stream_fixtures {

using namespace understudy;
using namespace understudy::llm;

inline std::string fixture(const std::string& name) {
  std::ifstream file(std::string(UNDERSTUDY_TEST_DATA "/fixtures/") + name, std::ios::binary);
  if (!file) {
    throw std::runtime_error("no fixture " + name);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// expected.json, whole.
inline const simdjson::dom::element& expectations() {
  static simdjson::dom::parser parser;
  static const simdjson::dom::element all =
      parser.parse(simdjson::padded_string(fixture("expected.json")));
  return all;
}

inline bool is_of(Protocol protocol, std::string_view name) {
  switch (protocol) {
    case Protocol::anthropic_messages: return name.starts_with("anthropic");
    case Protocol::openai_chat:
      return name.starts_with("openai_chat") || name.starts_with("azure") ||
             name.starts_with("deepseek");
    case Protocol::openai_responses:
      return name.starts_with("openai_responses") || name.starts_with("codex");
  }
  return false;
}

/// The streams of one protocol.
inline std::vector<std::string> fixtures_of(Protocol protocol) {
  std::vector<std::string> names;
  const simdjson::dom::object all = expectations();
  for (const auto [key, value] : all) {
    if (is_of(protocol, key)) {
      names.emplace_back(key);
    }
  }
  return names;
}

/// An event, as one line of text: what two ways of decoding are compared by.
inline std::string describe(const Event& event) {
  struct Describe {
    static std::string number(const std::optional<std::uint64_t>& n) {
      return n ? std::to_string(*n) : "-";
    }
    static std::string block(std::size_t b) { return std::to_string(b) + " "; }

    std::string operator()(const Start& e) const {
      return "start " + std::string(e.id) + " " + std::string(e.model);
    }
    std::string operator()(const Text& e) const {
      return (e.refusal ? "refusal " : "text ") + block(e.block) + std::string(e.text);
    }
    std::string operator()(const Reasoning& e) const {
      return "reasoning " + block(e.block) + std::string(e.text);
    }
    std::string operator()(const ReasoningSeal& e) const {
      return "seal " + block(e.block) + std::to_string(static_cast<int>(e.kind)) + " " +
             std::string(e.data) + " " + std::string(e.id);
    }
    std::string operator()(const ToolStart& e) const {
      return "call " + block(e.block) + std::string(e.id) + " " + std::string(e.name);
    }
    std::string operator()(const ToolArguments& e) const {
      return "arguments " + block(e.block) + std::string(e.json);
    }
    std::string operator()(const ToolEnd& e) const {
      return "call end " + block(e.block) + (e.complete ? "complete" : "cut");
    }
    std::string operator()(const Usage& e) const {
      return "usage " + number(e.input) + " " + number(e.cache_read) + " " + number(e.cache_write) +
             " " + number(e.output) + " " + number(e.reasoning);
    }
    std::string operator()(const Finish& e) const {
      return "finish " + std::string(to_string(e.reason)) + " " + std::string(e.native) + " " +
             std::string(e.stop_sequence);
    }
    std::string operator()(const End&) const { return "end"; }
    std::string operator()(const Heartbeat&) const { return "heartbeat"; }
    std::string operator()(const Error& e) const {
      return "error " + std::string(e.type) + " " + std::string(e.code) + " " +
             std::string(e.message);
    }
    std::string operator()(const Other& e) const {
      return "other " + std::string(e.type) + (e.progress ? " progress" : "");
    }
    // What is found wrong first may differ with the bytes that follow the payload.
    std::string operator()(const Undecodable&) const { return "undecodable"; }
    std::string operator()(const Retract&) const { return "retract"; }
  };
  return std::visit(Describe(), event.body);
}

/// A stream, decoded.
class Decoded {
 public:
  std::vector<std::string> events;
  std::string raw;  // of all events, one after the other
  std::string text;
  std::string reasoning;
  std::vector<std::string> arguments;  // by tool call
  std::size_t heartbeats = 0;
  std::size_t progress = 0;
  std::string native_finish;
  std::string error_type;
  Ending ending = Ending::cut;
  std::uint64_t undecodable = 0;

  void take(const Event& event) {
    events.push_back(describe(event));
    raw += event.raw;
    progress += is_progress(event) ? 1 : 0;
    if (const auto* said = std::get_if<Text>(&event.body)) {
      text += said->text;
    } else if (const auto* thought = std::get_if<Reasoning>(&event.body)) {
      reasoning += thought->text;
    } else if (const auto* call = std::get_if<ToolStart>(&event.body)) {
      calls_.push_back(call->block);
      arguments.emplace_back();
    } else if (const auto* more = std::get_if<ToolArguments>(&event.body)) {
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        arguments[i] += calls_[i] == more->block ? more->json : "";
      }
    } else if (const auto* end = std::get_if<ToolEnd>(&event.body)) {
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        if (calls_[i] == end->block && !end->restated.empty()) {
          arguments[i] = end->restated;
        }
      }
    } else if (std::holds_alternative<Heartbeat>(event.body)) {
      ++heartbeats;
    } else if (const auto* finish = std::get_if<Finish>(&event.body)) {
      native_finish = finish->native;
    } else if (const auto* error = std::get_if<Error>(&event.body)) {
      error_type = error->type;
    }
  }

 private:
  std::vector<std::size_t> calls_;
};

/// `pieces` one after the other, each in memory of its own that is gone once it is read.
inline Decoded decode(Protocol protocol, const std::vector<std::string_view>& pieces,
                      BodyShape shape = BodyShape::stream) {
  EventDecoder decoder(protocol, shape);
  Decoded decoded;
  const auto drain = [&] {
    while (const Event* event = decoder.next()) {
      decoded.take(*event);
    }
  };
  for (const auto piece : pieces) {
    const std::vector<char> memory(piece.begin(), piece.end());
    decoder.feed({memory.data(), memory.size()});
    drain();
  }
  decoder.end();
  drain();
  decoded.ending = decoder.ending();
  decoded.undecodable = decoder.undecodable();
  return decoded;
}

inline std::vector<std::string_view> bytewise(std::string_view all) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < all.size(); ++i) {
    pieces.push_back(all.substr(i, 1));
  }
  return pieces;
}

}  // namespace stream_fixtures
