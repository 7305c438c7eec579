#include "understudy/llm/oauth.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "provider_world.hpp"

namespace oauth_test {

using namespace provider_test;
using namespace std::chrono_literals;
using testing::Reply;
using R = FailoverReason;

namespace {

/// A token file in a folder of its own.
class LoginFile {
 public:
  explicit LoginFile(const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "understudy-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    write(text);
  }
  LoginFile(const LoginFile&) = delete;
  LoginFile& operator=(const LoginFile&) = delete;
  ~LoginFile() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "tokens.json"; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  std::string read() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  std::filesystem::path folder_;
};

constexpr const char* plain = R"({"access_token":"old","refresh_token":"once","expires_in":3600})";
constexpr const char* codex =
    R"({"auth_mode":"chatgpt","tokens":{"id_token":"i","access_token":"old","refresh_token":"once"}})";
constexpr const char* renewed = R"({"access_token":"new","refresh_token":"next"})";

OAuthOptions options(const LoginFile& file, const char* url = "http://localhost:8002/oauth/token") {
  return {file.path(), parse_url(url).value(), "our-client"};
}

/// A provider that takes the token "new" alone, and a token endpoint.
struct Refreshed : World {
  explicit Refreshed(const Reply& endpoint) {
    add().reply(Reply::status(401, "expired", "authentication_error")).reply(Reply::answer());
    listen("token");  // on port 8002
    servers.back().reply(endpoint);
  }

  void use(const OAuthOptions& of) {
    pool = std::make_shared<CredentialPool>(
        "a", std::vector{oauth_credential(http, "work", of).value()});
    chain[0].with_credentials(pool);
  }

  Told ask_with(const LoginFile& file) {
    use(options(file));
    return ask();
  }

  /// Runs `body(scope)` while the token endpoint serves and the pool is attached.
  template <class Body>
  void run(Body body) {
    auto all = [&](Scope& scope) -> awaitable<void> {
      pool->attach(scope);
      auto serve = [this] { return servers[1].serve(*acceptors[1]); };
      scope.spawn(std::move(serve));
      co_await body(scope);
      scope.cancel(StopReason::shutdown);
    };
    time->run(context, with_scope(std::move(all)));
  }

  Result<void> refresh() {
    Result<void> refreshed;
    run([&](Scope&) -> awaitable<void> { refreshed = co_await pool->refresh(pool->use(0)); });
    return refreshed;
  }

  std::string in_use() { return std::string(pool->secret(0).reveal()); }

  std::string_view sent(std::size_t request, std::string_view header = "x-api-key") const {
    std::size_t at = 0;
    for (const auto& connection : servers[0].connections()) {
      for (const auto& seen : connection.requests) {
        if (at++ == request) {
          return seen.head.headers.find(header).value_or("none");
        }
      }
    }
    return "no such request";
  }
};

/// Writing beyond `size` bytes of any file fails by EFBIG while this lives.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t size) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    auto small = before_;
    small.rlim_cur = size;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

/// A sign-in file as Codex writes it. `rest`: of the object `tokens`.
std::string sign_in(const std::string& access, const std::string& refresh,
                    const std::string& rest) {
  return R"({"OPENAI_API_KEY":null,"tokens":{"access_token":")" + access +
         R"(","refresh_token":")" + refresh + "\"," + rest +
         R"(},"last_refresh":"2026-01-01T00:00:00Z","agent_identity":{"a":[1]}})";
}

/// Another process that refreshes: it has the lock.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& file)
      : lock_(::open((file + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    REQUIRE(::flock(lock_, LOCK_EX | LOCK_NB) == 0);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess() { unlock(); }

  void unlock() {
    if (lock_ >= 0) {
      ::close(std::exchange(lock_, -1));
    }
  }

 private:
  int lock_;
};

}  // namespace

TEST_CASE("a token file that cannot serve is refused, with its name and what is wrong with it") {
  World world;
  const LoginFile file(plain);
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
  CHECK(bad("[]") == ": is not a JSON object");
  CHECK(bad("{") == ": is not a JSON object");
  CHECK(bad("{}") == ": has no `access_token`; log in again");
  CHECK(bad(R"({"access_token":"a"})") == ": has no `refresh_token`; log in again");
  CHECK(bad(R"({"tokens":{"access_token":"a"}})") == ": has no `refresh_token`; log in again");
}

TEST_CASE(
    "a token that has expired is refreshed amid the call, and is in the file before it is sent") {
  for (const auto* text : {plain, codex}) {
    const LoginFile file(text);
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
    CHECK(file.files() == std::set<std::string>{"tokens.json", "tokens.json.lock"});
  }
}

TEST_CASE(
    "tokens that another process has brought meanwhile are taken, and no refresh token spent") {
  const LoginFile file(plain);
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
    const LoginFile file(plain);
    Refreshed world(Reply::page(row.status, "application/json", row.body));
    const auto told = world.ask_with(file);
    REQUIRE(told.answer.has_error());
    CHECK(told.answer.error().code() == R::auth);  // the provider's own
    CHECK(told.report.to_json().find("once") == std::string::npos);
    const auto refused = world.refresh();
    CHECK(refused.error().code() == row.reason);
    CHECK(refused.error().message().find("once") == std::string::npos);
    CHECK(file.read() == plain);
  }
}

TEST_CASE("a disk without space: the refresh token is not spent, and works when there is space") {
  const LoginFile file(plain);
  Refreshed world(Reply::page(200, "application/json", renewed));
  world.use(options(file));
  {
    const SmallFiles no_space(16);
    const auto refused = world.refresh();
    REQUIRE(refused.has_error());
    CHECK(refused.error().code() == R::auth);
    CHECK(refused.error().message() == "token file " + file.path() +
                                           ": no space for new tokens: File too large; the "
                                           "refresh token was not spent");
  }
  CHECK(world.servers[1].requests() == 0);
  CHECK(file.read() == plain);
  CHECK(world.refresh().has_value());
  CHECK(world.in_use() == "new");
  CHECK(file.read().find(R"("refresh_token":"next")") != std::string::npos);
}

TEST_CASE("a token file that is a symbolic link stays one") {
  const LoginFile file(plain);
  const auto link = file.folder_ / "link.json";
  std::filesystem::create_symlink("tokens.json", link);
  Refreshed world(Reply::page(200, "application/json", renewed));
  world.use({link, parse_url("http://localhost:8002/oauth/token").value(), "our-client"});
  CHECK(world.refresh().has_value());
  CHECK(std::filesystem::is_symlink(link));
  CHECK(file.read().find(R"("refresh_token":"next")") != std::string::npos);
}

TEST_CASE("a refresh waits while another process refreshes, and takes what that one brought") {
  const LoginFile file(plain);
  Refreshed world(Reply::status(500, "not to be asked"));
  world.use(options(file));
  OtherProcess other(file.path());
  world.run([&](Scope& scope) -> awaitable<void> {
    auto refreshes = [&]() -> awaitable<void> {
      co_await sleep_for(2s);
      file.write(renewed);
      other.unlock();
    };
    scope.spawn(std::move(refreshes));
    const auto refreshed = co_await world.pool->refresh(world.pool->use(0));
    CHECK(refreshed.has_value());
  });
  CHECK(world.in_use() == "new");
  CHECK(world.servers[1].requests() == 0);
}

TEST_CASE("a lock that is never released ends the wait, by its name") {
  const LoginFile file(plain);
  Refreshed world(Reply::page(200, "application/json", renewed));
  world.use(options(file));
  const OtherProcess other(file.path());
  const auto refused = world.refresh();
  CHECK(world.servers[1].requests() == 0);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code() == R::auth);
  CHECK(refused.error().message().find(file.path() + ".lock") != std::string::npos);
  CHECK(file.read() == plain);
}

TEST_CASE("the account of a sign-in file is sent with its tokens, and not to the token endpoint") {
  const LoginFile file(sign_in("old", "once", R"("id_token":"i","account_id":"account-1")"));
  Refreshed world(Reply::page(200, "application/json",
                              R"({"access_token":"new","refresh_token":"next","id_token":"j"})"));
  const auto told = world.ask_with(file);
  require_answer(told);
  CHECK(world.sent(0, "chatgpt-account-id") == "account-1");
  CHECK(world.sent(1, "chatgpt-account-id") == "account-1");
  const auto& asked = world.servers[1].connections()[0].requests[0];
  CHECK_FALSE(asked.head.headers.find("chatgpt-account-id"));
  const auto kept = file.read();
  CHECK(kept.find(R"("id_token":"j")") != std::string::npos);
  CHECK(kept.find(R"("account_id":"account-1")") != std::string::npos);
  CHECK(kept.find(R"("agent_identity":{"a":[1]})") != std::string::npos);
  CHECK(kept.find("2026-01-01") == std::string::npos);
}

TEST_CASE("an account that only the id_token of the sign-in file names is sent as well") {
  const std::string id_token =
      "e30.eyJlbWFpbCI6Ij8-"
      "fkBhLnRlc3QiLCJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9wbGFuX3R5cGUiOiJwbHVzIiwi"
      "Y2hhdGdwdF9hY2NvdW50X2lkIjoiYWNjb3VudC0yIn19.c2ln";
  const LoginFile file(sign_in("old", "once", "\"id_token\":\"" + id_token + "\""));
  Refreshed world(Reply::page(200, "application/json", renewed));
  require_answer(world.ask_with(file));
  CHECK(world.sent(1, "chatgpt-account-id") == "account-2");
}

TEST_CASE("an account id that is no header is refused, and one that is not there is not sent") {
  World world;
  LoginFile file(sign_in("old", "once", R"("account_id":"a\r\nb: c")"));
  const auto refused = oauth_credential(world.http, "work", options(file));
  REQUIRE(refused.has_error());
  CHECK(refused.error().message() ==
        "token file " + file.path() + ": its account id cannot be sent in a header; log in again");
  for (
      const auto* rest :
      {R"("id_token":"a.b.c")", R"("id_token":"")", R"("account_id":null)", R"("x":1)",
       R"("id_token":"a.e30.c")",
       R"("id_token":"a.eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjo3fX0.c")"}) {
    CAPTURE(rest);
    file.write(sign_in("old", "once", rest));
    const auto credential = oauth_credential(world.http, "work", options(file));
    REQUIRE(credential.has_value());
    CHECK(credential->account.empty());
  }
}

TEST_CASE("each credential sends its own account, and another host none") {
  const LoginFile first(sign_in("one", "once", R"("account_id":"account-1")"));
  const LoginFile second(sign_in("two", "once", R"("account_id":"account-2")"));
  World world;
  const auto url = world.listen("a");
  world.servers[0]
      .reply(Reply::status(429, "usage limit"))
      .reply(Reply::status(429, "usage limit"));
  world.chain.push_back(Member("a", "model-a").with_base_url(url));
  world.providers.emplace_back(
      *world.client, HttpProviderOptions("a", Protocol::openai_responses, parse_url(url).value())
                         .with_header("ChatGPT-Account-ID", "account-1"));
  world.add(Protocol::openai_responses);
  world.chain[0].with_credentials(std::make_shared<CredentialPool>(
      "a", std::vector{oauth_credential(world.http, "one", options(first)).value(),
                       oauth_credential(world.http, "two", options(second)).value()}));
  world.chain[1].with_credentials(
      std::make_shared<CredentialPool>("b", std::vector{Credential("key", Secret("key"))}));
  const auto told = world.ask();
  require_answer(told);
  const auto sent = [&](std::size_t server) {
    std::vector<std::string> accounts;
    for (const auto& connection : world.servers[server].connections()) {
      for (const auto& seen : connection.requests) {
        const auto& headers = seen.head.headers;
        accounts.emplace_back(headers.find("chatgpt-account-id").value_or("none"));
        CHECK(headers.find("authorization").has_value());
      }
    }
    return accounts;
  };
  CHECK(sent(0) == std::vector<std::string>{"account-1", "account-2"});
  CHECK(sent(1) == std::vector<std::string>{"none"});
}

TEST_CASE(
    "whatever fails before the refresh token is spent: it is not, and the next time it works") {
  for (const auto step :
       {FileStep::lock, FileStep::create, FileStep::reserve, FileStep::sync_folder}) {
    for (const int error : {ENOSPC, EDQUOT, EACCES, EROFS, EIO, EMFILE}) {
      CAPTURE(static_cast<int>(step));
      CAPTURE(error);
      const LoginFile file(codex);
      Refreshed world(Reply::page(200, "application/json", renewed));
      bool broken = true;
      world.use(options(file).with_file_fault(
          [&](FileStep at) { return broken && at == step ? error : 0; }));
      const auto refused = world.refresh();
      REQUIRE(refused.has_error());
      CHECK(refused.error().code() == R::auth);
      CHECK(refused.error().message().find(file.path()) != std::string::npos);
      CHECK(world.servers[1].requests() == 0);
      CHECK(file.read() == codex);
      CHECK_FALSE(file.files().contains("tokens.json.new"));
      broken = false;
      CHECK(world.refresh().has_value());
      CHECK(file.read().find(R"("refresh_token":"next")") != std::string::npos);
    }
  }
}

TEST_CASE(
    "whatever fails after the refresh token was spent: the login is used, and written later") {
  for (const auto step :
       {FileStep::write, FileStep::sync, FileStep::rename, FileStep::sync_folder}) {
    for (const int error : {ENOSPC, EDQUOT, EACCES, EROFS, EIO}) {
      CAPTURE(static_cast<int>(step));
      CAPTURE(error);
      const LoginFile file(codex);
      Refreshed world(Reply::page(200, "application/json", renewed));
      bool broken = true;
      std::string reports;
      world.use(options(file)
                    .with_file_fault([&](FileStep at) {
                      return broken && at == step && world.servers[1].requests() > 0 ? error : 0;
                    })
                    .with_report([&](const Failure& f) { reports += to_string(f) + '\n'; }));
      world.run([&](Scope&) -> awaitable<void> {
        const auto refreshed = co_await world.pool->refresh(world.pool->use(0));
        CHECK(refreshed.has_value());
        CHECK(world.in_use() == "new");
        CHECK(reports.find(file.path()) != std::string::npos);
        CHECK(reports.find("next") == std::string::npos);
        if (step != FileStep::sync_folder) {
          CHECK(file.read() == codex);
        }
        // Another process must not spend the token that is in the file.
        const int other = ::open((file.path() + ".lock").c_str(), O_RDWR | O_CLOEXEC);
        CHECK(::flock(other, LOCK_EX | LOCK_NB) != 0);
        broken = false;
        co_await sleep_for(2s);
        CHECK_FALSE(world.pool->unpersisted());
        CHECK(::flock(other, LOCK_EX | LOCK_NB) == 0);
        ::close(other);
      });
      CHECK(file.read().find(R"("refresh_token":"next")") != std::string::npos);
      CHECK(file.files() == std::set<std::string>{"tokens.json", "tokens.json.lock"});
      CHECK(world.servers[1].requests() == 1);
    }
  }
}

TEST_CASE("a disk that stays full: the login goes on in memory, from one refresh to the next") {
  const LoginFile file(plain);
  Refreshed world(Reply::page(200, "application/json", renewed));
  world.servers[1].reply(
      Reply::page(200, "application/json", R"({"access_token":"newer","refresh_token":"last"})"));
  bool broken = true;
  world.use(options(file).with_file_fault([&](FileStep at) {
    return broken && world.servers[1].requests() > 0 && at != FileStep::lock ? ENOSPC : 0;
  }));
  world.run([&](Scope&) -> awaitable<void> {
    for (const auto* token : {"new", "newer"}) {
      const auto refreshed = co_await world.pool->refresh(world.pool->use(0));
      CHECK(refreshed.has_value());
      CHECK(world.in_use() == token);
      CHECK(file.read() == plain);
    }
    broken = false;
    co_await sleep_for(10s);
  });
  CHECK(file.read().find(R"("refresh_token":"last")") != std::string::npos);
  const auto& requests = world.servers[1].connections();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].requests[0].body.find(R"("refresh_token":"next")") != std::string::npos);
}

TEST_CASE("a new login that came while tokens could not be written is not overwritten") {
  const LoginFile file(plain);
  Refreshed world(Reply::page(200, "application/json", renewed));
  bool broken = true;
  world.use(options(file).with_file_fault(
      [&](FileStep at) { return broken && at == FileStep::write ? ENOSPC : 0; }));
  const std::string other = R"({"access_token":"theirs","refresh_token":"theirs too"})";
  world.run([&](Scope&) -> awaitable<void> {
    const auto refreshed = co_await world.pool->refresh(world.pool->use(0));
    CHECK(refreshed.has_value());
    file.write(other);
    broken = false;
    co_await sleep_for(10s);
    CHECK(file.read() == other);
    CHECK(world.in_use() == "new");
    const auto again = co_await world.pool->refresh(world.pool->use(0));
    CHECK(again.has_value());
    CHECK(world.in_use() == "theirs");
  });
  CHECK(world.servers[1].requests() == 1);
}

TEST_CASE("a program that does not lock was first: its tokens and its account are taken") {
  const LoginFile file(sign_in("old", "once", R"("account_id":"account-1")"));
  Refreshed world(Reply::page(400, "application/json", R"({"error":"refresh_token_reused"})"));
  world.use(options(file));
  world.run([&](Scope& scope) -> awaitable<void> {
    auto writes_in_place = [&]() -> awaitable<void> {
      file.write("");
      co_await sleep_for(600ms);
      CHECK(world.servers[1].requests() == 0);
      file.write(sign_in("old", "once", R"("account_id":"account-1")"));
      co_await sleep_for(600ms);
      CHECK(world.servers[1].requests() == 1);
      file.write(sign_in("theirs", "next", R"("account_id":"account-2")"));
    };
    scope.spawn(std::move(writes_in_place));
    const auto refreshed = co_await world.pool->refresh(world.pool->use(0));
    CHECK(refreshed.has_value());
  });
  CHECK(world.in_use() == "theirs");
  CHECK(world.pool->use(0).account == "account-2");
}

TEST_CASE("a process died before its new tokens were in place: they are put there, and used") {
  const LoginFile file(plain);
  Refreshed world(Reply::status(500, "not to be asked"));
  world.use(options(file));
  std::ofstream(file.path() + ".new") << renewed << std::string(3, '\0');
  CHECK(world.refresh().has_value());
  CHECK(world.in_use() == "new");
  CHECK(file.read() == renewed);
  CHECK(file.files() == std::set<std::string>{"tokens.json", "tokens.json.lock"});
}

}  // namespace oauth_test
