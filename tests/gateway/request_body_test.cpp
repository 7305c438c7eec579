#include "../../lib/gateway/request_body.hpp"

#include "../net/compressed.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;
using understudy::detail::ContentCoding;

namespace {

HttpRequest encoded(const std::string& path, std::string_view coding, std::string body) {
  HttpRequest request("POST", path);
  request.with_header("content-type", "application/json")
      .with_header("content-encoding", coding)
      .with_body(std::move(body));
  return request;
}

class PromptLog final : public understudy::gateway::Log {
 public:
  void call_ended(const understudy::gateway::CallRecord& call) override {
    prompts.push_back(call.prompt);
  }

  std::vector<std::string> prompts;
};

}  // namespace

TEST_CASE("a compressed question is answered like any other, in each coding and each protocol") {
  for (const auto coding : compressed::codings()) {
    const std::string name(understudy::detail::to_string(coding));
    for (const auto& path : paths()) {
      CAPTURE(name);
      CAPTURE(path.path);
      GatewayWorld world;
      auto& lead = world.add();
      world.add();
      world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
        const auto got =
            co_await send(http, encoded(path.path, name, compressed::as(coding, path.body)));
        CHECK(got.status == 200);
        CHECK(read(got, path.protocol).answer.text() == ten);
        const auto twice = co_await send(
            http, encoded(path.path, name + ", gzip",
                          compressed::as(ContentCoding::gzip, compressed::as(coding, path.body))));
        CHECK(twice.status == 200);
      });
      CHECK(lead.requests() == 2);
      for (const auto& connection : lead.connections()) {
        for (const auto& seen : connection.requests) {
          CHECK(seen.body.find("Is it full?") != std::string::npos);
          CHECK_FALSE(seen.head.headers.find("content-encoding"));
        }
      }
    }
  }
}

TEST_CASE("what is wrong with a compressed body is said, and no provider is asked") {
  GatewayWorld world;
  auto& lead = world.add();
  world.add();
  auto file = report_file + "[server]\nmax_body = \"64KiB\"\n";
  world.serve(world.config(file), [&](HttpClient& http) -> awaitable<void> {
    const auto& path = paths()[0];
    for (const auto coding : compressed::codings()) {
      const std::string name(understudy::detail::to_string(coding));
      CAPTURE(name);
      const auto whole = compressed::as(coding, path.body);
      const auto cut =
          co_await send(http, encoded(path.path, name, whole.substr(0, whole.size() / 2)));
      CHECK(cut.status == 400);
      CHECK(cut.has("its " + name + " data ends too soon; send all of it"));
      const auto plain = co_await send(http, encoded(path.path, name, path.body));
      CHECK(plain.status == 400);
      CHECK(plain.has("its " + name + " data is damaged, or is not such data"));
      const auto behind = co_await send(http, encoded(path.path, name, whole + "{}{}{}"));
      CHECK(behind.status == 400);
      CHECK(behind.has("is followed by other bytes"));
      const std::string zeros(std::size_t{16} << 20U, '\0');
      const auto bomb =
          co_await send(http, encoded(path.path, name, compressed::as(coding, zeros)));
      CHECK(bomb.status == 413);
      CHECK(bomb.has("`server.max_body`, which counts after decompression"));
      const auto nothing =
          co_await send(http, encoded(path.path, name, compressed::as(coding, "")));
      CHECK(nothing.status == 415);
      CHECK(nothing.has("content-encoding: " + name));
      // The connection is good for what comes next.
      const auto good = co_await send(http, encoded(path.path, name, whole));
      CHECK(good.status == 200);
    }
    const auto large = co_await send(http, encoded(path.path, "gzip", std::string(70'000, 'x')));
    CHECK(large.status == 413);
  });
  CHECK(lead.requests() == compressed::codings().size());
}

TEST_CASE("the log has the text of a compressed question, where it is to have prompts") {
  GatewayWorld world;
  world.add();
  world.add();
  const auto log = std::make_shared<PromptLog>();
  world.records = std::make_shared<Records>(RecordsOptions().with_log(log).with_prompts(true));
  world.serve(world.config(report_file), [&](HttpClient& http) -> awaitable<void> {
    for (const auto& path : paths()) {
      const auto got = co_await send(
          http, encoded(path.path, "zstd", compressed::as(ContentCoding::zstd, path.body)));
      CHECK(got.status == 200);
    }
  });
  REQUIRE(log->prompts.size() == paths().size());
  for (std::size_t i = 0; i < paths().size(); ++i) {
    CHECK(log->prompts[i] == paths()[i].body);
  }
}
