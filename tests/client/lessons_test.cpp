// What a provider refuses is learned across calls: over strict doubles, in every form of error, with many calls at once.
#include "understudy/llm/learned_refusals.hpp"

#include <array>

#include "../llm/client_request.hpp"
#include "client_world.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/testing/strict_server.hpp"

namespace lessons_test {

using namespace client_test;
using testing::SeenRequest;
using testing::StrictBackend;
using testing::StrictBackends;
using testing::StrictServer;
using testing::StrictServerOptions;

/// A server of which nothing is known but its address: requests in its protocol are sent as they are.
std::string provider(Protocol protocol, const std::string& model) {
  return "[model]\nprovider = \"p\"\ndefault = \"" + model + "\"\n[providers.p]\nprotocol = \"" +
         std::string(to_string(protocol)) + "\"\nbase_url = \"http://p.test:8001\"\n" +
         "credentials = [{env = \"OPENAI_API_KEY\"}]\n" +
         "headers = {\"chatgpt-account-id\" = \"account-1\"}\n";
}

Request asked(Protocol protocol, const std::string& model, const std::string& members) {
  const auto head = "{\"model\":\"" + model + "\"," + members;
  switch (protocol) {
    case Protocol::anthropic_messages:
      return client_request(
          protocol, head + R"("max_tokens":9,"messages":[{"role":"user","content":"hi"}]})");
    case Protocol::openai_chat:
      return client_request(protocol, head + R"("messages":[{"role":"user","content":"hi"}]})");
    case Protocol::openai_responses:
      return client_request(
          protocol,
          head +
              R"("store":false,"instructions":"Be brief.","input":[{"type":"message","role":"user","content":"hi"}]})");
  }
  return Request("");
}

bool has(const std::string& body, std::string_view text) {
  return body.find(text) != std::string::npos;
}

/// Refuses a member with that body.
class Refuser {
 public:
  Refuser(std::string member, unsigned status, std::string body)
      : member_(std::move(member)), status_(status), body_(std::move(body)) {}

  Reply operator()(const SeenRequest& request) {
    ++requests;
    if (has(request.body, "\"" + member_ + "\":") && refuses) {
      ++refused;
      return Reply::page(status_, "application/json", body_);
    }
    return Reply::answer("full").after(0, Fault::pause(50ms));
  }

  bool refuses = true;
  std::size_t requests = 0;
  std::size_t refused = 0;

 private:
  std::string member_;
  unsigned status_;
  std::string body_;
};

struct Shape {
  const char* name;
  Protocol protocol;
  const char* words;  // empty: `loc` names it
};

constexpr auto a = Protocol::anthropic_messages;
constexpr auto c = Protocol::openai_chat;
constexpr auto r = Protocol::openai_responses;

/// The forms of error bodies, and what is said about a parameter there (lib/testing/strict/backends.json).
constexpr std::array shapes{
    Shape{"anthropic", a, "invented: Extra inputs are not permitted"},
    Shape{"bedrock_anthropic", a, "invented: Extra inputs are not permitted"},
    Shape{"openai", r, "Unknown parameter: 'invented'."},
    Shape{"codex_detail", r, "Unsupported parameter: invented"},
    Shape{"google_array", c,
          R"(Invalid JSON payload received. Unknown name "invented": Cannot find field.)"},
    Shape{"mistral_422", c, ""},
    Shape{"mistral", c, "invented: Extra inputs are not permitted"},
    Shape{"groq", c, "property 'invented' is unsupported"},
    Shape{"xai", c, "Argument not supported on this model: invented"},
    Shape{"minimax", c, "Unknown parameter: 'invented'"},
    Shape{"zai", c, "Unsupported parameter: invented"},
    Shape{"openrouter", c, "Unsupported parameter: 'invented' is not supported with this model."},
    Shape{"vllm", c, "Unrecognized request argument supplied: invented"},
    Shape{"ollama", c, R"(json: unknown field "invented")"},
    Shape{"llamacpp", c, "Unsupported param: invented"},
    Shape{"lmstudio", c, "Unsupported parameter: invented"},
};

std::string body_of(const Shape& shape) {
  if (std::string_view(shape.words).empty()) {
    return R"({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","invented"],"msg":"Extra inputs are not permitted","input":1}]},"type":"invalid_request_error"})";
  }
  return StrictBackends::embedded().error_body(shape.name, shape.words);
}

TEST_CASE(
    "an invented parameter, refused in every form of error: mended, and learned after success") {
  CHECK(StrictBackends::embedded().error_shapes().size() == shapes.size());
  for (const auto& shape : shapes) {
    CAPTURE(std::string(shape.name));
    ClientWorld world;
    Refuser refuser("invented", std::string_view(shape.words).empty() ? 422 : 400, body_of(shape));
    world.add().reply_by([&](const SeenRequest& request) { return refuser(request); });
    world.run(world.config(provider(shape.protocol, "m")), [&](Client& client) -> awaitable<void> {
      for (const std::size_t requests : {2U, 3U, 4U}) {
        const auto outcome =
            co_await client.complete(asked(shape.protocol, "m", R"("invented":1,)"));
        CHECK(outcome.result.has_value());
        CHECK(refuser.requests == requests);
      }
    });
    CHECK(refuser.refused == 1);
    CHECK(world.state->lessons()->size() == 1);
  }
}

TEST_CASE("an invented parameter at the strict doubles that refuse it: mended and learned") {
  std::size_t doubles = 0;
  for (const auto id : StrictBackends::embedded().ids()) {
    const auto& strict = StrictBackends::embedded().backend(id);
    const std::string model(strict.default_model());
    const auto protocol = *protocol_from(strict.protocol());
    if (id == "vertex-anthropic") {
      continue;  // its path names the model
    }
    CAPTURE(std::string(id));
    ClientWorld world;
    auto& port = *world.acceptors.emplace_back(world.network->listen(8001));
    StrictServer server(strict, StrictServerOptions().with_credentials_required(false));
    world.run(world.config(provider(protocol, model)), [&](Client& client) -> awaitable<void> {
      const auto ask = [&]() -> awaitable<void> {
        for (int i = 0; i < 3; ++i) {
          const auto outcome = co_await client.complete(asked(protocol, model, R"("invented":1,)"));
          CHECK(outcome.result.has_value());
        }
      };
      const auto serve = [&]() -> awaitable<void> { co_await server.serve(port); };
      co_await race(serve(), ask());
    });
    const bool refused = server.exchanges().front().refusal.has_value();
    doubles += refused ? 1 : 0;
    CHECK(server.exchanges().size() == (refused ? 4U : 3U));
    CHECK(world.state->lessons()->size() == (refused ? 1U : 0U));
    CHECK(has(server.exchanges().back().body, "invented") != refused);
  }
  CHECK(doubles == 12);
}

TEST_CASE("a client's temperature of 7 is its own error, and changes nothing for another") {
  struct Row {
    const char* model;  // that the client names
    const char* body;   // of the refusal
    bool answered;      // without it
  };
  const Row rows[] = {
      {"m",
       R"({"error":{"message":"temperature: 7 is above the maximum of 2","param":"temperature"}})",
       false},
      {"m",
       R"({"error":{"message":"Unsupported value: 'temperature' does not support 7 with this model.","param":"temperature","code":"unsupported_value"}})",
       false},
      {"another",  // the chain has replaced the model, so the client could not know
       R"({"error":{"message":"Unsupported value: 'temperature' does not support 7 with this model.","param":"temperature","code":"unsupported_value"}})",
       true},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.body));
    ClientWorld world;
    std::vector<std::string> bodies;
    world.add().reply_by([&](const SeenRequest& request) {
      bodies.push_back(request.body);
      return has(request.body, R"("temperature":7)")
                 ? Reply::page(400, "application/json", row.body)
                 : Reply::answer("full");
    });
    world.run(world.config(provider(c, "m")), [&](Client& client) -> awaitable<void> {
      const auto bad = co_await client.complete(asked(c, row.model, R"("temperature":7,)"));
      CHECK(bad.result.has_value() == row.answered);
      CHECK(world.state->lessons()->size() == 0);
      const auto good = co_await client.complete(asked(c, row.model, R"("temperature":0.5,)"));
      CHECK(good.result.has_value());
      CHECK(has(bodies.back(), R"("temperature":0.5)"));
    });
  }
}

TEST_CASE("1,000 first requests at once learn once, and none is refused after that") {
  ClientWorld world;
  Refuser refuser("invented", 400, R"({"detail":"Unsupported parameter: invented"})");
  world.add().reply_by([&](const SeenRequest& request) { return refuser(request); });
  std::size_t answered = 0;
  const auto many = [&](Client& client, std::size_t calls, Clock::duration apart) {
    return [&, calls, apart](Scope& scope) -> awaitable<void> {
      for (std::size_t i = 0; i < calls; ++i) {
        auto one = [&]() -> awaitable<void> {
          const auto outcome = co_await client.complete(asked(c, "m", R"("invented":1,)"));
          answered += outcome.result.has_value() ? 1 : 0;
        };
        scope.spawn(std::move(one));
        if (apart > Clock::duration::zero()) {
          co_await sleep_for(apart);
        }
      }
    };
  };
  SUBCASE("all at the same moment: each is refused at most once") {
    world.run(world.config(provider(c, "m")), [&](Client& client) -> awaitable<void> {
      auto all = many(client, 1000, {});
      co_await with_scope(std::move(all));
      CHECK(answered == 1000);
      CHECK(refuser.refused == 1000);
      CHECK(refuser.requests == 2000);
      CHECK(world.state->lessons()->size() == 1);
      auto next = many(client, 100, {});
      co_await with_scope(std::move(next));
      CHECK(answered == 1100);
      CHECK(refuser.refused == 1000);
    });
  }
  SUBCASE("one each millisecond: only those are refused that were sent before the first success") {
    world.run(world.config(provider(c, "m")), [&](Client& client) -> awaitable<void> {
      auto all = many(client, 1000, 1ms);
      co_await with_scope(std::move(all));
      CHECK(answered == 1000);
      CHECK(refuser.refused <= 51);  // the answer begins after 50 ms
      CHECK(refuser.requests == 1000 + refuser.refused);
      CHECK(world.state->lessons()->size() == 1);
    });
  }
  MESSAGE(refuser.refused << " refused of " << refuser.requests << " requests");
}

TEST_CASE("a lesson ends after its time: one request tests it, and the parameter is sent again") {
  for (const bool still : {true, false}) {
    CAPTURE(still);
    ClientWorld world;
    Refuser refuser("invented", 400, R"({"detail":"Unsupported parameter: invented"})");
    std::size_t with = 0;
    world.add().reply_by([&](const SeenRequest& request) {
      with += has(request.body, "invented") ? 1 : 0;
      return refuser(request);
    });
    world.run(world.config(provider(c, "m")), [&](Client& client) -> awaitable<void> {
      const auto ask = [&](int calls) {
        return [&, calls](Scope& scope) -> awaitable<void> {
          for (int i = 0; i < calls; ++i) {
            auto one = [&]() -> awaitable<void> {
              const auto outcome = co_await client.complete(asked(c, "m", R"("invented":1,)"));
              CHECK(outcome.result.has_value());
            };
            scope.spawn(std::move(one));
          }
          co_return;
        };
      };
      auto first = ask(1);
      co_await with_scope(std::move(first));
      co_await sleep_for(llm::LearnedRefusals::lifetime - 1min);
      auto before = ask(10);
      co_await with_scope(std::move(before));
      CHECK(with == 1);
      refuser.refuses = still;
      co_await sleep_for(2min);
      auto probes = ask(10);
      co_await with_scope(std::move(probes));
      CHECK(with == 2);  // one of the ten
      auto after = ask(10);
      co_await with_scope(std::move(after));
      CHECK(with == (still ? 2U : 12U));
    });
    CHECK(world.state->lessons()->size() == (still ? 1U : 0U));
    CHECK(refuser.refused == (still ? 2U : 1U));
  }
}

}  // namespace lessons_test
