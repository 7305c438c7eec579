// `understudy check`: whether a configuration is well formed, and with --probe whether its members answer.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "configured.hpp"
#include "run_until_stopped.hpp"
#include "terminal.hpp"
#include "understudy/client/client.hpp"
#include "understudy/runtime/scope.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;

/// A member that has not said a word by then is as good as none to who waits at a terminal.
constexpr Clock::duration longest_probe = 30s;

struct CheckOptions {
  std::string config;
  bool probe = false;
  bool json = false;
};

struct Probed {
  MemberConfig member;
  Failure failure;  // none: it answers
  Clock::duration took{};
};

/// Every member of every chain, once.
std::vector<Probed> members_of(const Config& config) {
  std::vector<Probed> members;
  const auto add = [&](const RouteConfig& route) {
    for (const auto& member : route.chain) {
      const auto same = [&](const Probed& p) {
        return p.member.provider == member.provider && p.member.model == member.model;
      };
      if (std::none_of(members.begin(), members.end(), same)) {
        members.push_back({member, {}, {}});
      }
    }
  };
  add(config.main);
  for (const auto& route : config.routes) {
    add(route);
  }
  return members;
}

asio::awaitable<void> probe(const Config& config, std::shared_ptr<ClientState> state,
                            Probed& probed) {
  Config alone = config;
  alone.routes.clear();
  alone.main.chain = {probed.member};
  // Each member alone and with its own limits: `last_member` must not extend them.
  alone.main.policy.with_max_retries(0).stall.with_last_member(1ms);
  Client client(co_await asio::this_coro::executor, alone, std::move(state));
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, "Answer with one word: are you there?");
  request.max_tokens = 64;
  const auto began = Clock::now();
  {
    auto answer =
        co_await client.stream(std::move(request), RequestOptions().with_deadline(longest_probe));
    const auto ready = co_await answer.ready();
    probed.took = Clock::now() - began;
    if (ready.has_error()) {
      probed.failure = ready.error();
    }
  }
  co_await client.close();
}

void write_errors(const ConfigErrors& errors, bool json) {
  if (!json) {
    std::cerr << to_string(errors);
    return;
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().member("file", errors.file).member("well_formed", false);
  writer.key("errors").begin_array();
  for (const auto& error : errors.errors) {
    writer.begin_object();
    if (!error.file.empty()) {
      writer.member("file", error.file);
    }
    writer.member("line", error.place.line)
        .member("column", error.place.column)
        .member("what", error.what)
        .member("suggestion", error.suggestion)
        .end_object();
  }
  writer.end_array().end_object();
  std::cout << out << "\n";
}

std::string chain_of(const RouteConfig& route) {
  std::string text;
  for (const auto& member : route.chain) {
    text += (text.empty() ? "" : " -> ") + member.provider + "/" + member.model;
  }
  return text;
}

void write_chains(const Config& config) {
  if (!config.main.chain.empty()) {
    std::cout << "  " << chain_of(config.main) << "\n";
  }
  for (const auto& route : config.routes) {
    std::cout << "  " << route.model << ": " << chain_of(route) << "\n";
  }
}

void write_probes(const std::vector<Probed>& members) {
  auto out = Terminal::standard_output();
  for (const auto& one : members) {
    const bool answers = !one.failure.code();
    out.line((answers ? "ok   " : "NOT  ") + one.member.provider + "/" + one.member.model + "  " +
                 spoken(one.took) + (answers ? "" : "  " + to_string(one.failure)),
             answers ? Colour::green : Colour::red);
  }
}

void write_json(const Config& config, const std::vector<Probed>& members, bool probed) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("file", config.file).member("well_formed", true);
  json.key("members").begin_array();
  for (const auto& one : members) {
    json.begin_object().member("provider", one.member.provider).member("model", one.member.model);
    if (probed) {
      json.member("answers", !one.failure.code())
          .member("first_token_ms", Milliseconds(one.took).count());
      if (one.failure.code()) {
        json.member("failure", to_string(one.failure));
      }
    }
    json.end_object();
  }
  json.end_array().end_object();
  std::cout << out << "\n";
}

int check(const CheckOptions& options) {
  const auto setup = configured(options.config);
  if (setup.has_error()) {
    write_errors(setup.error(), options.json);
    return failed;
  }
  const auto& config = setup->config;
  auto members = members_of(config);
  if (!options.json) {
    std::cout << options.config << ": valid\n";
    write_chains(config);
  }
  if (options.probe) {
    auto ask = [&]() -> asio::awaitable<void> {
      auto body = [&](Scope& scope) -> asio::awaitable<void> {
        for (auto& member : members) {
          auto one = [&] { return probe(config, setup->state, member); };
          scope.spawn(std::move(one));
        }
        co_await scope.join();
      };
      co_await with_scope(std::move(body));
    };
    if (!options.json) {
      Terminal::standard_error().status("asking each member, for at most " + spoken(longest_probe));
    }
    if (!run_until_stopped(std::move(ask))) {
      return interrupted;
    }
    if (!options.json) {
      write_probes(members);
    }
  }
  if (options.json) {
    write_json(config, members, options.probe);
  }
  const bool all_answer = std::none_of(members.begin(), members.end(),
                                       [](const Probed& p) { return bool(p.failure.code()); });
  return all_answer ? done : failed;
}

}  // namespace

Command check_command(CLI::App& program) {
  auto options = std::make_shared<CheckOptions>();
  auto* const app = program.add_subcommand(
      "check",
      "Reports all errors of a configuration, with their positions and suggestions.\n"
      "Exit code 1: the configuration is invalid, or with --probe a member does not "
      "answer; 130: interrupted.");
  app->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  app->add_flag("--probe", options->probe,
                "Asks every member a one-line question, which costs some tokens");
  app->add_flag("--json", options->json, "Prints one JSON object");
  return {app, [options] { return check(*options); }};
}

}  // namespace understudy::tool
