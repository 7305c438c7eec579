// understudy decode: what a provider's stream says, one JSON line an event.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

constexpr std::size_t piece = 64 * 1024;

/// The members of one kind of event.
class EventWriter {
 public:
  explicit EventWriter(JsonWriter& json) : json_(json) {}

  void operator()(const llm::Start& e) {
    kind("start").member("id", e.id).member("model", e.model);
  }
  void operator()(const llm::Text& e) {
    block(e.refusal ? "refusal" : "text", e.block).member("text", e.text);
  }
  void operator()(const llm::Reasoning& e) { block("reasoning", e.block).member("text", e.text); }
  void operator()(const llm::ReasoningSeal& e) {
    block("reasoning_seal", e.block);
    switch (e.kind) {
      case llm::ReasoningSeal::Kind::signature: json_.member("kind", "signature"); break;
      case llm::ReasoningSeal::Kind::redacted: json_.member("kind", "redacted"); break;
      case llm::ReasoningSeal::Kind::encrypted: json_.member("kind", "encrypted"); break;
      case llm::ReasoningSeal::Kind::call: json_.member("kind", "call"); break;
    }
    json_.member("data", e.data);
    named("id", e.id);
  }
  void operator()(const llm::ToolStart& e) {
    block("tool_start", e.block).member("id", e.id).member("name", e.name);
  }
  void operator()(const llm::ToolArguments& e) {
    block("tool_arguments", e.block).member("json", e.json);
  }
  void operator()(const llm::ToolEnd& e) {
    block("tool_end", e.block).member("complete", e.complete);
  }
  void operator()(const llm::Usage& e) {
    kind("usage");
    count("input", e.input);
    count("cache_read", e.cache_read);
    count("cache_write", e.cache_write);
    count("output", e.output);
    count("reasoning", e.reasoning);
  }
  void operator()(const llm::Finish& e) {
    kind("finish").member("reason", to_string(e.reason)).member("native", e.native);
    named("stop_sequence", e.stop_sequence);
  }
  void operator()(const llm::End&) { kind("end"); }
  void operator()(const llm::Heartbeat&) { kind("heartbeat"); }
  void operator()(const llm::Error& e) {
    kind("error");
    named("type", e.type);
    named("code", e.code);
    json_.member("message", e.message);
  }
  void operator()(const llm::Other& e) { kind("other").member("type", e.type); }
  void operator()(const llm::Undecodable& e) { kind("undecodable").member("why", e.why); }
  void operator()(const llm::Retract&) { kind("retract"); }

 private:
  JsonWriter& kind(std::string_view name) { return json_.member("event", name); }
  JsonWriter& block(std::string_view name, std::size_t number) {
    return kind(name).member("block", number);
  }
  void named(std::string_view name, std::string_view text) {
    if (!text.empty()) {
      json_.member(name, text);
    }
  }
  void count(std::string_view name, const std::optional<std::uint64_t>& number) {
    if (number) {
      json_.member(name, *number);
    }
  }

  JsonWriter& json_;
};

std::string_view to_string(llm::Ending ending) {
  switch (ending) {
    case llm::Ending::cut: return "cut";
    case llm::Ending::complete: return "complete";
    case llm::Ending::failed: return "failed";
  }
  return "";
}

void print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

int decode(llm::Protocol protocol, llm::BodyShape shape) {
  llm::EventDecoder decoder(protocol, shape);
  std::vector<char> buffer(piece + sse_padding);
  std::string line;
  const auto drain = [&] {
    while (const llm::Event* event = decoder.next()) {
      line.clear();
      JsonWriter json(line);
      json.begin_object();
      EventWriter writer(json);
      std::visit(writer, event->body);
      json.member("progress", is_progress(*event)).end_object();
      print(line);
    }
    std::fflush(stdout);  // for someone who watches a stream
  };
  while (!decoder.error()) {
    const auto size =
        read(STDIN_FILENO, buffer.data(), piece);  // what is there, without waiting for more
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      std::cerr << "understudy decode: standard input: " << std::strerror(errno) << "\n";
      return bad_usage;
    }
    if (size == 0) {
      break;
    }
    decoder.feed({buffer.data(), static_cast<std::size_t>(size)}, sse_padding);
    drain();
  }
  decoder.end();
  drain();
  line.clear();
  JsonWriter(line)
      .begin_object()
      .member("event", "eof")
      .member("ending", to_string(decoder.ending()))
      .member("undecodable", decoder.undecodable())
      .end_object();
  print(line);
  if (decoder.error()) {
    std::cerr << "understudy decode: " << decoder.error().message() << "\n";
  }
  return decoder.error() || decoder.undecodable() > 0 ? failed : done;
}

}  // namespace

Command decode_command(CLI::App& program) {
  auto* options = program.add_subcommand(
      "decode", "Read a provider's answer from standard input; write its events as JSON lines");
  const auto protocol = std::make_shared<std::string>();
  const auto whole = std::make_shared<bool>(false);
  options->add_option("--protocol", *protocol, "The protocol of the provider")
      ->required()
      ->check(CLI::IsMember({
          "anthropic_messages",
          "openai_chat",
          "openai_responses",
      }));
  options->add_flag("--whole", *whole, "The input is one JSON document, not a stream");
  options->footer(
      "Each line has \"event\", its content, and whether it is \"progress\". The last one, "
      "\"eof\", reports\n"
      "the outcome of the answer: complete, failed (an error, or a part was lost) or cut.\n"
      "Exit code: 0, or 1 if an event could not be read.");
  return {options, [protocol, whole] {
            return decode(*llm::protocol_from(*protocol),
                          *whole ? llm::BodyShape::whole : llm::BodyShape::stream);
          }};
}

}  // namespace understudy::tool
