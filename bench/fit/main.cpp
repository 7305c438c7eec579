// What it costs to fit a request to a back end, by its size: time, and memory (alone: `bench_fit memory`). And to parse the
// catalog.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../lib/llm/catalog/built_in.hpp"
#include "../harness.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/fit.hpp"

extern "C" int malloc_trim(
    std::size_t) noexcept;  // ../allocations.cpp replaces what <malloc.h> declares

namespace {

using namespace understudy;
using namespace understudy::llm;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

/// Words that do not repeat themselves.
std::string prose(std::size_t bytes, std::size_t seed) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    text += "word" + std::to_string((i + seed) * 7919 % 100'003) + ((i % 9) == 8 ? ".\\n" : " ");
  }
  return text;
}

/// A request as Claude Code sends it: a system prompt, 30 tools, and turns of a call and its result of 4 KiB each.
std::string agent_request(std::size_t bytes) {
  std::string body =
      R"({"model":"claude-opus-4-7","max_tokens":32000,"stream":true,)"
      R"("thinking":{"type":"adaptive"},"output_config":{"effort":"high"},)"
      R"("metadata":{"user_id":"user_1_account_2_session_3"},"system":[{"type":"text","text":")" +
      prose(16 * kib, 0) + R"(","cache_control":{"type":"ephemeral"}}],"tools":[)";
  for (int i = 0; i < 30; ++i) {
    body += (i > 0 ? ",{" : "{") + std::string(R"("name":"tool_)") + std::to_string(i) +
            R"(","description":")" + prose(kib, i) +
            R"(","input_schema":{"type":"object","properties":{"path":{"type":"string"},"limit":)"
            R"({"type":"integer","minimum":1},"mode":{"enum":["a","b"],"type":"string"}},)"
            R"("required":["path"]}})";
  }
  body += R"(],"messages":[{"role":"user","content":"Begin."})";
  for (std::size_t i = 0; body.size() + 2 < bytes; ++i) {
    const auto id = "toolu_" + std::to_string(i);
    body +=
        R"(,{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":")" +
        id + R"(","name":"tool_3","input":{"path":"/tmp/)" + id +
        R"("}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":")" + id +
        R"(","content":")" + prose(std::min(4 * kib, bytes - body.size()), i) + R"("}]})";
  }
  return body + "]}";
}

Request read(const std::string& body) {
  auto request = codec_for(Protocol::anthropic_messages).read_request(body);
  if (!request) {
    std::fprintf(stderr, "the request is not read: %s\n", request.error().message.c_str());
    std::exit(1);
  }
  return std::move(*request);
}

FitTarget target_at(std::string_view back_end, Protocol protocol, std::string model) {
  FitTarget target(protocol, std::string(back_end), std::move(model));
  target.back_end = Catalog::built_in().back_end(back_end, protocol);
  return target;
}

struct Target {
  const char* name;
  FitTarget target;
};

std::vector<Target> targets() {
  constexpr auto messages = Protocol::anthropic_messages;
  return {
      {"Anthropic, the client's model: byte for byte",
       target_at("anthropic", messages, "claude-opus-4-7")},
      {"Anthropic, another model: edits", target_at("anthropic", messages, "claude-opus-4-5")},
      {"Z.ai's Anthropic form: edits", target_at("zai", messages, "glm-5.3")},
      {"the Codex back end: translated",
       target_at("codex", Protocol::openai_responses, "gpt-5.6-sol")},
      {"OpenAI Chat: translated", target_at("openai", Protocol::openai_chat, "gpt-5.5")},
  };
}

std::size_t sink = 0;

/// Milliseconds of this thread's work, the least of several.
template <class Work>
double least_ms(int rounds, Work work) {
  double least = 1e18;
  for (int i = 0; i < rounds; ++i) {
    const auto start = bench::thread_clock();
    work();
    least = std::min(least, bench::thread_clock() - start);
  }
  return least / 1e6;
}

/// A line of /proc/self/status, in MiB.
double memory(std::string_view name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name)) {
      return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
    }
  }
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

bool times() {
  bool reached = true;
  std::printf("\nms of CPU, the least of several\n  %-46s %9s %9s %9s %9s %8s\n", "to", "200 KiB",
              "1 MiB", "10 MiB", "30 MiB", "30 / 1");
  const std::size_t sizes[] = {200 * kib, mib, 10 * mib, 30 * mib};
  std::vector<Request> requests;
  for (const auto size : sizes) {
    requests.push_back(read(agent_request(size)));
  }
  for (const auto& [name, target] : targets()) {
    double took[4] = {};
    for (std::size_t i = 0; i < 4; ++i) {
      took[i] = least_ms(i == 0   ? 100
                         : i == 1 ? 30
                                  : 5,
                         [&] { sink += fit(requests[i], target).body.size(); });
    }
    std::printf("  %-46s %9.3f %9.3f %9.2f %9.2f %7.1fx\n", name, took[0], took[1], took[2],
                took[3], took[3] / took[1]);
    reached = reached && took[0] <= 1;
  }
  const auto body = agent_request(200 * kib);
  std::printf("  reading the request of 200 KiB before: %.3f ms\n",
              least_ms(100, [&] { sink += read(body).messages.size(); }));
  std::printf("  200 KiB, to reach: <= 1 ms  %s\n", reached ? "reached" : "MISSED");
  return reached;
}

/// Peak of resident memory with the body, the request that is read of it, and what is sent, by the size of the body.
void sizes() {
  std::printf(
      "\nMiB of resident memory for a body of 30 MiB, itself included\n  %-46s %9s %9s %9s\n", "to",
      "peak", "x size", "after");
  for (const auto& [name, target] : targets()) {
    malloc_trim(0);
    const auto before = memory("VmRSS:");
    forget_peak();
    double size = 0;
    {
      auto body = agent_request(30 * mib);
      size = static_cast<double>(body.size()) / static_cast<double>(mib);
      malloc_trim(0);
      forget_peak();
      auto request = read(body);
      body = {};
      sink += fit(request, target).body.size();
    }
    const auto peak = memory("VmHWM:") - before;
    std::printf("  %-46s %9.1f %8.2fx %9.1f\n", name, peak, peak / size, memory("VmRSS:") - before);
  }
}

void catalog() {
  const auto text =
      std::string(detail::built_in_families()).append("\n").append(detail::built_in_back_ends());
  const auto took = least_ms(20, [&] { sink += Catalog::read(text).index(); });
  std::printf("\nthe built-in catalog, %zu KiB\n", text.size() / kib);
  bench::reach("parsed", took, 5, "ms");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "memory") {
    sizes();
    return 0;
  }
  catalog();
  const bool reached = times();
  sizes();
  return reached && sink > 0 ? 0 : 1;
}
