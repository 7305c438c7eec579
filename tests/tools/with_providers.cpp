// Runs a command beside two simulated providers on loopback, a lead and its understudy:
//
//     with_providers stall understudy chat --config CONFIG "How does it go on?"
//
// CONFIG stands for a configuration that leads to them: the founding report's file, its base URLs pointed here
// and its limit scaled down to a second. Beside it lie certificates for 127.0.0.1: good.pem, self_signed.pem,
// key.pem for both, and ca.pem, which trusts the first. Exit code: the command's.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/test_certificates.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using testing::Fault;
using testing::Reply;

namespace {

/// What the lead does and what its understudy does, by the script's name.
bool script(std::string_view name, testing::FaultServer& lead, testing::FaultServer& understudy) {
  const auto reply = [](std::string text) { return Reply::answer(std::move(text)).dripping(10ms); };
  understudy.reply(reply("The understudy goes on."));
  if (name == "well") {
    lead.reply(reply("The lead knows its lines."));
  } else if (name == "stall") {
    lead.reply(Reply::answer().after(1, Fault::silence(200ms)));
  } else if (name == "break") {
    lead.reply(reply("The lead stops in the middle of").after(4, Fault::truncated_chunk()));
  } else if (name == "hang") {
    lead.reply(Reply::answer().dripping(10ms).after(4, Fault::silence()));
  } else if (name == "down") {
    lead.reply(Reply::status(401, "invalid x-api-key", "authentication_error"));
    understudy.reply_to("gpt-5.5", Reply::status(503, "overloaded"));
  } else {
    return false;
  }
  return true;
}

std::string configuration(std::uint16_t lead, std::uint16_t understudy) {
  const auto here = [](std::uint16_t port) {
    return "base_url = \"http://127.0.0.1:" + std::to_string(port);
  };
  return R"([model]
default = "claude-opus-4-7"
provider = "anthropic"

[[fallback_providers]]
provider = "openai-codex"
model = "gpt-5.5"

[fallback]
eager_on_timeout = true

[stall]
stale = "1s"

[retry]
backoff_base = "10ms"
backoff_cap = "50ms"

[providers.anthropic]
)" + here(lead) +
         "\"\n\n[providers.openai-codex]\n" + here(understudy) + "/v1\"\n";
}

pid_t start(std::vector<std::string> command, const std::string& config) {
  std::vector<char*> arguments;
  for (auto& argument : command) {
    if (argument == "CONFIG") {
      argument = config;
    }
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(arguments[0], arguments.data());
    std::cerr << "with_providers: cannot run " << arguments[0] << "\n";
    ::_exit(127);
  }
  return child;
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context context;
  testing::FaultServer lead;
  testing::FaultServer understudy;
  if (argc < 3 || !script(argv[1], lead, understudy)) {
    std::cerr << "usage: with_providers well|stall|break|hang|down COMMAND [ARGUMENT...]\n";
    return 2;
  }
  TcpAcceptor lead_port(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  TcpAcceptor understudy_port(context.get_executor(), asio::ip::address_v4::loopback(), 0);
  std::string folder = std::filesystem::temp_directory_path() / "with-providers-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    return 2;
  }
  const std::string config = folder + "/understudy.toml";
  std::ofstream(config) << configuration(lead_port.port(), understudy_port.port());
  const testing::TestCertificates certificates;
  using Kind = testing::TestCertificates::Kind;
  std::ofstream(folder + "/good.pem") << certificates.certificate(Kind::good);
  std::ofstream(folder + "/self_signed.pem") << certificates.certificate(Kind::self_signed);
  std::ofstream(folder + "/key.pem") << certificates.key();
  std::filesystem::copy_file(certificates.ca_file(), folder + "/ca.pem");
  ::setenv("ANTHROPIC_API_KEY", "the-leads-key", 1);
  ::setenv("OPENAI_API_KEY", "the-understudys-key", 1);

  asio::signal_set ended(context, SIGCHLD);
  const pid_t child = start({argv + 2, argv + argc}, config);
  int status = 0;
  ended.async_wait([&](const error_code&, int) {
    ::waitpid(child, &status, 0);
    context.stop();
  });
  for (auto* const one : {&lead, &understudy}) {
    auto& port = one == &lead ? lead_port : understudy_port;
    asio::co_spawn(context, one->serve(port), [](const std::exception_ptr&) {});
  }
  context.run();
  std::filesystem::remove_all(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
