// The gateway with too few descriptors, or too little memory: it says so, blames no provider, lets the calls under
// way go on, does not spin, and serves as before as soon as it has enough again.
//
//     short_of_resources PROGRAM
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "gateway_process.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/testing/fault_server.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;
using scenarios::GatewayProcess;
using testing::FaultServer;
using testing::Reply;

namespace {

bool failed = false;

void expect(bool fine, const std::string& what, const std::string& instead) {
  if (!fine) {
    failed = true;
    std::cerr << "not so: " << what << "\n" << instead << "\n";
  }
}

/// While it lives, the gateway has so many descriptors left.
class FewLeft {
 public:
  FewLeft(const GatewayProcess& gateway, rlim_t left) : process_(gateway.process()) {
    std::set<rlim_t> open;
    const std::filesystem::path folder("/proc/" + std::to_string(process_) + "/fd");
    for (const auto& one : std::filesystem::directory_iterator(folder)) {
      open.insert(std::stoul(one.path().filename()));
    }
    rlim_t lowest = 0;
    while (open.count(lowest) != 0) {
      ++lowest;
    }
    ::prlimit(process_, RLIMIT_NOFILE, nullptr, &before_);
    rlimit limit = before_;
    limit.rlim_cur = lowest + left;
    ::prlimit(process_, RLIMIT_NOFILE, &limit, nullptr);
  }
  ~FewLeft() { ::prlimit(process_, RLIMIT_NOFILE, &before_, nullptr); }
  FewLeft(const FewLeft&) = delete;
  FewLeft& operator=(const FewLeft&) = delete;

 private:
  pid_t process_;
  rlimit before_{};
};

/// Address space of a process, in bytes.
std::uint64_t address_space(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string word;
  std::uint64_t kib = 0;
  while (status >> word) {
    if (word == "VmSize:") {
      status >> kib;
    }
  }
  return kib * 1024;
}

/// CPU time that a process has had.
std::chrono::duration<double> cpu_time(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(stat), {}};
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string word;
  double ticks = 0;
  for (int i = 3; rest >> word && i <= 15; ++i) {  // as proc(5) counts: 14 and 15
    ticks += i >= 14 ? std::stod(word) : 0;
  }
  return std::chrono::duration<double>(ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

struct Answered {
  unsigned status = 0;
  HttpFields headers;
  std::string body;
};

awaitable<Answered> post(HttpClient& http, const GatewayProcess& gateway, std::string path,
                         std::string model, bool stream, std::size_t padding = 0) {
  HttpRequest request("POST", std::move(path));
  request.with_header("content-type", "application/json")
      .with_body(
          std::string(padding, ' ') + R"({"model":")" + model + R"(","stream":)" +
          (stream ? "true" : "false") +
          R"(,"max_tokens":9,"input":"full?","messages":[{"role":"user","content":"full?"}]})");
  IgnoreIo nobody;
  const Endpoint there(Scheme::http, "127.0.0.1", gateway.port());
  Answered answered;
  auto response = co_await http.send(there, request, nobody);
  if (response.has_value()) {
    answered.status = response->status();
    answered.headers = response->headers();
    const auto body = co_await response->read_all(1 << 20);
    answered.body = body.has_value() ? *body : to_string(body.error());
  } else {
    answered.body = to_string(response.error());
  }
  co_return answered;
}

std::string told(const Answered& answered) {
  std::string text = std::to_string(answered.status) + "\n";
  for (std::size_t i = 0; i < answered.headers.size(); ++i) {
    const auto [name, value] = answered.headers[i];
    text.append(name).append(": ").append(value).append("\n");
  }
  return text + answered.body;
}

std::string configuration(std::uint16_t lead, std::uint16_t other) {
  const auto provider = [](const std::string& name, std::uint16_t port) {
    return "[providers." + name +
           "]\nprotocol = \"openai_chat\"\nbase_url = \"http://127.0.0.1:" + std::to_string(port) +
           "/v1\"\n";
  };
  return "[model]\nprovider = \"lead\"\ndefault = \"m\"\n[[fallback_providers]]\nprovider = "
         "\"other\"\nmodel = \"m\"\n[server]\nlisten = \"127.0.0.1:0\"\nthreads = 1\nreport = "
         "true\n" +
         provider("lead", lead) + provider("other", other);
}

/// The client's connection took the last one.
awaitable<void> none_for_a_provider(HttpClient& http, const GatewayProcess& gateway,
                                    const FaultServer& lead, const FaultServer& other) {
  {
    const FewLeft few(gateway, 1);
    for (const auto* path : {"/v1/messages", "/v1/chat/completions", "/v1/responses"}) {
      for (const bool stream : {true, false}) {
        const auto answered = co_await post(http, gateway, path, "any", stream);
        const auto has = [&](const char* text) {
          return answered.body.find(text) != std::string::npos;
        };
        expect(answered.status == 503, "503", told(answered));
        expect(answered.headers.find("retry-after").has_value(), "Retry-After", told(answered));
        expect(has("out of descriptors") && has("LimitNOFILE") && has("server.max_connections"),
               "it says what to raise", told(answered));
        expect(answered.headers.find("x-understudy-attempts") == "1", "no failover",
               told(answered));
      }
    }
  }
  const auto after = co_await post(http, gateway, "/v1/chat/completions", "any", false);
  expect(after.status == 200 && after.headers.find("x-understudy-member") == "lead/m",
         "no mark: the lead answers", told(after));
  expect(lead.requests() == 1 && other.requests() == 0, "no provider was asked meanwhile", "");
}

/// None for another client: it waits, and a call under way goes on.
awaitable<void> none_for_a_client(HttpClient& http, const GatewayProcess& gateway,
                                  FaultServer& lead) {
  lead.reply_to("m", Reply::answer().dripping(200ms));
  auto under_way = [&] { return post(http, gateway, "/v1/chat/completions", "any", true); };
  std::chrono::duration<double> used{};
  auto late = [&]() -> awaitable<Answered> {
    co_await sleep_for(500ms);
    const auto before = cpu_time(gateway.process());
    auto few = std::make_unique<FewLeft>(gateway, 0);
    auto waits = [&] { return post(http, gateway, "/v1/chat/completions", "any", false); };
    auto restore = [&]() -> awaitable<void> {
      co_await sleep_for(1s);
      used = cpu_time(gateway.process()) - before;
      few.reset();
    };
    Answered answered;
    auto both = [&](Scope& scope) -> awaitable<void> {
      scope.spawn(std::move(restore));
      answered = co_await waits();
    };
    co_await with_scope(std::move(both));
    co_return answered;
  };
  Answered first;
  Answered second;
  auto both = [&](Scope& scope) -> awaitable<void> {
    auto one = [&]() -> awaitable<void> { first = co_await under_way(); };
    scope.spawn(std::move(one));
    second = co_await late();
  };
  co_await with_scope(std::move(both));
  expect(first.status == 200 && first.body.find("[DONE]") != std::string::npos,
         "the call under way goes on", told(first));
  expect(second.status == 200, "the client that had to wait is served", told(second));
  expect(used < 300ms, "it does not spin", std::to_string(used.count()) + " s of CPU in 1 s");
}

/// No memory for a large request: its client is told, and the others are served on.
awaitable<void> no_memory(HttpClient& http, const GatewayProcess& gateway) {
  constexpr std::uint64_t mib = 1024 * 1024;
  const auto used = address_space(gateway.process());
  if (used > 1024 * 1024 * mib) {
    co_return;  // a sanitizer's: no limit would be one
  }
  rlimit before{};
  ::prlimit(gateway.process(), RLIMIT_AS, nullptr, &before);
  // A body that grows from 8 MiB to 16 MiB needs both, and from 16 MiB to 32 MiB there is no room. What is left
  // of it then is little enough for the gateway to read on, so that the client gets the answer.
  const rlimit tight{used + 36 * mib, before.rlim_max};
  ::prlimit(gateway.process(), RLIMIT_AS, &tight, nullptr);
  for (const auto* path : {"/v1/messages", "/v1/chat/completions", "/v1/responses"}) {
    const auto answered = co_await post(http, gateway, path, "any", true, 16 * mib + mib / 2);
    expect(answered.status == 503 && answered.headers.find("retry-after").has_value() &&
               answered.body.find("out of memory") != std::string::npos,
           "503, Retry-After and the reason", told(answered));
  }
  const auto small = co_await post(http, gateway, "/v1/chat/completions", "any", false);
  expect(small.status == 200, "others are served", told(small));
  ::prlimit(gateway.process(), RLIMIT_AS, &before, nullptr);
}

awaitable<void> all(const std::string& program) {
  const auto executor = co_await asio::this_coro::executor;
  TcpAcceptor lead_port(executor, asio::ip::address_v4::loopback(), std::uint16_t{0});
  TcpAcceptor other_port(executor, asio::ip::address_v4::loopback(), std::uint16_t{0});
  FaultServer lead;
  FaultServer other;
  auto body = [&](Scope& scope) -> awaitable<void> {
    auto first = [&] { return lead.serve(lead_port); };
    auto second = [&] { return other.serve(other_port); };
    scope.spawn(std::move(first));
    scope.spawn(std::move(second));
    const GatewayProcess gateway(program, configuration(lead_port.port(), other_port.port()));
    HttpClient http(executor, HttpClientOptions());
    co_await none_for_a_provider(http, gateway, lead, other);
    co_await none_for_a_client(http, gateway, lead);
    co_await no_memory(http, gateway);
    http.close();
    scope.cancel(StopReason::shutdown);
  };
  co_await with_scope(std::move(body));
}

/// With a limit of 200 on what it may have at most.
void says_so_at_the_start(const std::string& program) {
  const rlimit low{200, 200};
  ::setrlimit(RLIMIT_NOFILE, &low);
  const GatewayProcess gateway(program, configuration(1, 2));
  const std::string line = "server.max_connections is 39 and not 10000";
  for (int i = 0; i < 500 && gateway.log().find(line) == std::string::npos; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  const auto log = gateway.log();
  expect(log.find(line) != std::string::npos && log.find(line) == log.rfind(line),
         "the log says once how many connections there can be", log);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: short_of_resources PROGRAM\n";
    return 2;
  }
  const std::string program = argv[1];
  asio::io_context context;
  asio::co_spawn(context, all(program), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
  says_so_at_the_start(program);
  std::cout << (failed ? "failed\n" : "no provider was blamed, and no call was lost\n");
  return failed ? 1 : 0;
}
