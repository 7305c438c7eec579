// What conversations cost: to be known again, in time and memory, and carriers in a stream of tokens.
#include <malloc.h>

#include <cstdio>
#include <string>
#include <vector>

#include "../harness.hpp"
#include "understudy/client/sessions.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace {

using namespace understudy;
using namespace understudy::llm;

SessionKey numbered(std::uint64_t n) {
  SessionKey key;
  key.session = {n, n * 0x9E3779B97F4A7C15U};
  key.conversation = {n, n * 0xC2B2AE3D27D4EB4FU};
  key.begun = true;
  return key;
}

std::size_t in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void sessions() {
  const auto pool = std::make_shared<CredentialPool>(
      "b", std::vector{Credential("one", Secret("1")), Credential("two", Secret("2"))});
  Member a("a", "m");
  Member b("b", "m");
  b.with_credentials(pool);
  const auto used = pool->use(1);
  const Chain chain{a, b};
  const auto now = Clock::now();
  const auto before = in_use();
  auto table = std::make_unique<Sessions>();
  for (std::uint64_t i = 0; i < Sessions::most; ++i) {
    table->served(numbered(i), b, &used, {}, {}, now);
  }
  const auto bytes = in_use() - before;
  Request request("claude");
  request.system.emplace_back(TextPart(std::string(20'000, 'x')));
  request.messages.emplace_back(Role::user, "Is it full?");
  std::uint64_t n = 0;
  const auto next = [&] { return numbered(n = (n * 48'271 + 11) % Sessions::most); };
  std::vector<bench::Way> ways{
      {"copy the chain",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           const Chain copy = chain;
           n += copy.size();
         }
       },
       100'000,
       {}},
      {"look a conversation up, which is not known",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           auto key = next();
           key.session.high += Sessions::most;
           key.conversation.high += Sessions::most;
           n += table->advise(key, chain, ReturnWhen::cold, now).chain.size();
         }
       },
       100'000,
       {}},
      {"look a conversation up, and order the chain for it",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           n += table->advise(next(), chain, ReturnWhen::cold, now).chain.size();
         }
       },
       100'000,
       {}},
      {"note who serves it",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           table->served(next(), b, &used, {}, {}, now);
         }
       },
       100'000,
       {}},
      {"hash a beginning of 20 KB",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           n += SessionKey::of(request, SessionIdentity(), "").session.low & 1U;
         }
       },
       2'000,
       {}},
  };
  bench::measure(ways, 15, bench::thread_clock);
  for (const auto& way : ways) {
    std::printf("%-52s %8.0f ns\n", way.name.c_str(), way.figures.nanoseconds);
  }
  std::printf("%-52s %8.1f MiB\n", "100,000 conversations",
              static_cast<double>(bytes) / (1024.0 * 1024.0));
}

void tokens() {
  Request asked("claude");
  asked.origin = Protocol::anthropic_messages;
  CarriedSeals seals(asked);
  ReasoningOrigin by("deepseek", "v4");
  seals.from(by, Protocol::openai_chat);
  const auto encoder = codec_for(Protocol::anthropic_messages).encoder(asked);
  std::string out;
  encoder->write(Event(Start("a", "m")), out);
  const Event token(Text(0, " token"));
  std::vector<bench::Way> ways{
      {"encode a token",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           out.clear();
           encoder->write(token, out);
         }
       },
       100'000,
       {}},
      {"encode a token with carriers",
       [&](std::uint64_t count) {
         for (; count > 0; --count) {
           out.clear();
           if (const auto* const seal = seals.missing(token)) {
             encoder->write(*seal, out);
           }
           encoder->write(*seals.carried(token), out);
         }
       },
       100'000,
       {}},
  };
  bench::measure(ways, 25, bench::thread_clock);
  for (const auto& way : ways) {
    std::printf("%-52s %8.1f ns\n", way.name.c_str(), way.figures.nanoseconds);
  }
}

}  // namespace

int main() {
  sessions();
  tokens();
}
