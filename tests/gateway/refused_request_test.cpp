#include "../../lib/gateway/refused_request.hpp"

#include "gateway_world.hpp"

using namespace gateway_test;

TEST_CASE(
    "a conversation that one provider keeps: rejected, since another would answer without it") {
  struct Row {
    const Path& path;
    const char* said;
    unsigned status;
    const char* code;
  };
  const auto& all = paths();
  const std::vector<Row> rows{
      {all[1], R"("thread":{"type":"create"})", 400,
       R"("error_code":"thread_unsupported_request")"},
      {all[1], R"("thread":null)", 200, ""},
      {all[2], R"("previous_response_id":"resp_1")", 400, R"("code":"unsupported_parameter")"},
      {all[2], R"("conversation":"conv_1")", 400, R"("code":"unsupported_parameter")"},
      {all[2], R"("previous_response_id":null)", 200, ""},
      {all[2], R"("model":"responses","previous_response_id":"resp_1")", 200, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    GatewayWorld world;
    world.add();
    world.add();
    const auto config = world.config(report_file + R"(
[[routes]]
model = "responses"
chain = [{ provider = "openai-codex", model = "gpt-5.5" }]
)");
    world.serve(config, [&](HttpClient& http) -> awaitable<void> {
      std::string body = row.path.body;
      const std::string_view model = R"("model":"any",)";
      const bool own_model = std::string_view(row.said).starts_with("\"model");
      body.replace(1, own_model ? model.size() : 0, std::string(row.said) + ",");
      const Path path{row.path.protocol, row.path.path, body.c_str()};
      const auto got = co_await post(http, path);
      CHECK(got.status == row.status);
      CHECK(got.has(row.code));
      CHECK((world.servers[0].requests() + world.servers[1].requests() == 0) ==
            (row.status == 400));
    });
  }
}

TEST_CASE("several choices: rejected where no member speaks Chat, since there would be one") {
  const std::string both = R"(
[model]
provider = "lead"
default = "claude-opus-4-7"
[[fallback_providers]]
provider = "first"
model = "big"
[providers.lead]
protocol = "anthropic_messages"
base_url = "http://lead.test:8001"
[providers.first]
protocol = "openai_chat"
base_url = "http://first.test:8002/v1"
)";
  const auto foreign = both.substr(0, both.find("[[")) + both.substr(both.find("[providers.lead"));
  struct Row {
    const std::string& config;
    std::string said;
    unsigned status;
  };
  for (const bool stream : {false, true}) {
    for (const auto& [config, said, status] :
         {Row{foreign, "\"n\":2", 400}, Row{foreign, "\"n\":1", 200},
          Row{foreign, "\"n\":null", 200}, Row{both, "\"n\":2", 200}}) {
      CAPTURE(said);
      GatewayWorld world;
      world.add();
      world.add();
      world.serve(world.config(config), [&](HttpClient& http) -> awaitable<void> {
        const auto body = std::string("{\"stream\":") + (stream ? "true," : "false,") + said +
                          R"(,"model":"any","messages":[{"role":"user","content":"Is it full?"}]})";
        const Path path{Protocol::openai_chat, "/v1/chat/completions", body.c_str()};
        const auto got = co_await post(http, path);
        CHECK(got.status == status);
        CHECK(got.has("`n`") == (status == 400));
      });
    }
  }
}
