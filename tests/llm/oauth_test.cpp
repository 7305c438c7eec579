#include "understudy/llm/oauth.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "provider_world.hpp"

using namespace provider_test;
using namespace std::chrono_literals;
using testing::Reply;
using R = FailoverReason;

namespace {

/// A token file in a folder of its own.
class TokenFile {
 public:
  explicit TokenFile(const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "understudy-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    write(text);
  }
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  ~TokenFile() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "tokens.json"; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  std::string read() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder_;
};

constexpr const char* plain = R"({"access_token":"old","refresh_token":"once","expires_in":3600})";
constexpr const char* codex =
    R"({"auth_mode":"chatgpt","tokens":{"id_token":"i","access_token":"old","refresh_token":"once"}})";
constexpr const char* renewed = R"({"access_token":"new","refresh_token":"next"})";

OAuthOptions options(const TokenFile& file, const char* url = "http://localhost:8002/oauth/token") {
  return {file.path(), parse_url(url).value(), "our-client"};
}

/// A provider that takes the token "new" alone, and a token endpoint.
struct Refreshed : World {
  explicit Refreshed(const Reply& endpoint) {
    add().reply(Reply::status(401, "expired", "authentication_error")).reply(Reply::answer());
    listen("token");  // on port 8002
    servers.back().reply(endpoint);
  }

  Told ask_with(const TokenFile& file) {
    pool = std::make_shared<CredentialPool>(
        "a", std::vector{oauth_credential(http, "work", options(file)).value()});
    chain[0].with_credentials(pool);
    return ask();
  }

  awaitable<Result<void>> refresh() {
    auto body = [this](Scope& scope) -> awaitable<Result<void>> {
      pool->attach(scope);
      auto serve = [this] { return servers[1].serve(*acceptors[1]); };
      scope.spawn(std::move(serve));
      const auto used = pool->use(0);
      auto refreshed = co_await pool->refresh(used);
      scope.cancel(StopReason::shutdown);
      co_return refreshed;
    };
    co_return co_await with_scope(std::move(body));
  }

  std::string_view sent(std::size_t request) const {
    std::size_t at = 0;
    for (const auto& connection : servers[0].connections()) {
      for (const auto& seen : connection.requests) {
        if (at++ == request) {
          return seen.head.headers.find("x-api-key").value_or("none");
        }
      }
    }
    return "no such request";
  }
};

}  // namespace

TEST_CASE("a token file that cannot serve is refused, with its name and what is wrong with it") {
  World world;
  const TokenFile file(plain);
  const auto refused = [&](const OAuthOptions& o) {
    const auto credential = oauth_credential(world.http, "work", o);
    REQUIRE(credential.has_error());
    CHECK(credential.error().code() == R::auth_permanent);
    return credential.error().message();
  };
  CHECK(refused({"/no/such/file", parse_url("https://a.test").value(), ""}) ==
        "token file /no/such/file: cannot be read");
  CHECK(refused(options(file, "http://a.test/token")) == "token endpoint a.test: must be https");
  const auto bad = [&](const char* text) {
    file.write(text);
    return refused(options(file)).substr(file.path().size() + 11);
  };
  file.write(R"({"error":{"code":"of old"},"access_token":"a","refresh_token":"b"})");
  CHECK(oauth_credential(world.http, "work", options(file)).has_value());
  CHECK(bad("[]") == ": is no JSON object");
  CHECK(bad("{") == ": is no JSON object");
  CHECK(bad("{}") == ": has no `access_token`; log in anew");
  CHECK(bad(R"({"access_token":"a"})") == ": has no `refresh_token`; log in anew");
  CHECK(bad(R"({"tokens":{"access_token":"a"}})") == ": has no `refresh_token`; log in anew");
}

TEST_CASE(
    "a token that has expired is refreshed amid the call, and is in the file before it is sent") {
  for (const auto* text : {plain, codex}) {
    const TokenFile file(text);
    Refreshed world(Reply::page(200, "application/json", renewed));
    const auto told = world.ask_with(file);
    require_answer(told);
    CHECK(world.sent(0) == "old");
    CHECK(world.sent(1) == "new");
    const auto& asked = world.servers[1].connections()[0].requests[0];
    CHECK(asked.head.target == "/oauth/token");
    CHECK(asked.body ==
          R"({"grant_type":"refresh_token","refresh_token":"once","client_id":"our-client"})");
    const auto kept = file.read();
    CHECK(kept.find(R"("access_token":"new")") != std::string::npos);
    CHECK(kept.find(R"("refresh_token":"next")") != std::string::npos);
    CHECK(kept.find("old") == std::string::npos);
    CHECK((kept.find("chatgpt") != std::string::npos) == (text == codex));
    struct stat status{};
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator(file.folder_), {}) == 1);
  }
}

TEST_CASE(
    "tokens that another process has brought meanwhile are taken, and no refresh token spent") {
  const TokenFile file(plain);
  Refreshed world(Reply::status(500, "not to be asked"));
  world.pool = std::make_shared<CredentialPool>(
      "a", std::vector{oauth_credential(world.http, "work", options(file)).value()});
  world.chain[0].with_credentials(world.pool);
  file.write(renewed);
  const auto told = world.ask();
  require_answer(told);
  CHECK(world.sent(1) == "new");
  CHECK(world.servers[1].requests() == 0);
}

TEST_CASE("what the token endpoint says: for good, or for now; and no token in a report") {
  struct Row {
    unsigned status;
    const char* body;
    R reason;
  };
  for (const auto& row :
       {Row{401, "{}", R::auth_permanent},
        Row{400, R"({"error":"invalid_grant"})", R::auth_permanent},
        Row{400, R"({"error":{"code":"refresh_token_reused","message":"once"}})",
            R::auth_permanent},
        Row{500, "once", R::auth}, Row{200, "{}", R::auth}, Row{200, "<html>", R::auth}}) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    const TokenFile file(plain);
    Refreshed world(Reply::page(row.status, "application/json", row.body));
    const auto told = world.ask_with(file);
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == R::auth);  // the provider's own
    CHECK(told.report.to_json().find("once") == std::string::npos);
    const auto refused = world.time->run(world.context, world.refresh());
    CHECK(refused.error().code() == row.reason);
    CHECK(refused.error().message().find("once") == std::string::npos);
    CHECK(file.read() == plain);
  }
}
