// `understudy connect`: an agent is pointed at the gateway.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "../command.hpp"
#include "agents.hpp"
#include "client/reached.hpp"
#include "text/suggestions.hpp"
#include "understudy/client/configured_catalog.hpp"
#include "user_file.hpp"

namespace understudy::tool {
namespace {

struct ConnectOptions {
  std::string agent;
  std::string config;
  std::string url;
  bool write = false;
};

int report(const text::SourceErrors& errors, ExitCode code) {
  std::cerr << "understudy: " << to_string(errors) << "\n";
  return code;
}

/// As `serve` reads it, but for the credentials of providers: who sets up an agent need not have them.
SourceResult<GatewayFacts> facts_of(const ConnectOptions& options) {
  if (options.config.empty()) {
    return options.url.empty() ? source_error("connect", {}, "nothing says where the gateway is",
                                              "pass --config with its configuration, or --url")
                               : gateway_facts(options.url);
  }
  const auto config = load_config(options.config);
  if (config.has_error()) {
    return config.error();
  }
  const auto catalog = configured_catalog(*config);
  if (catalog.has_error()) {
    return catalog.error();
  }
  return gateway_facts(*config, *detail::profiles_of(*config, **catalog), options.url);
}

const char* variable(std::string_view name) {
  const char* const value = name.empty() ? nullptr : std::getenv(std::string(name).c_str());
  return value == nullptr || *value == '\0' ? nullptr : value;
}

/// The folder of the agent's configuration; empty if not even the user's home is known.
std::string folder_of(const Agent& agent) {
  if (const char* const folder = variable(agent.variable)) {
    return folder;
  }
  const char* const home = variable("HOME");
  return home == nullptr ? "" : std::string(home) + "/" + std::string(agent.folder);
}

void write_notes(const Plan& plan) {
  for (const auto& note : plan.notes) {
    std::cout << note << "\n";
  }
}

int print(const Agent& agent, const Plan& plan, const std::string& file) {
  if (agent.file.empty()) {
    std::cout << agent.title << ": run\n\n" << plan.printable() << "\n";
  } else {
    std::cout << agent.title << ": add to " << file << ", or let --write do it:\n\n"
              << plan.printable() << "\n";
  }
  write_notes(plan);
  return done;
}

int by_hand(const Agent& agent, const Plan& plan, const std::string& why) {
  std::cerr << "understudy: " << agent.title << " must be connected by hand: " << why << "\n";
  std::cout << plan.printable() << "\n";
  write_notes(plan);
  return failed;
}

int write(const Agent& agent, const Plan& plan, const std::string& path) {
  const auto file = read_user_file(path);
  if (file.has_error()) {
    return report(file.error(), failed);
  }
  const auto text = plan.edited(path, file->text);
  if (text.has_error()) {
    return report(text.error(), failed);
  }
  if (file->exists && *text == file->text) {
    std::cout << agent.title << " is already connected: " << path << "\n";
    if (plan.has_secret() && (file->mode & (S_IRWXG | S_IRWXO)) != 0) {
      std::cout << "It has a key of the gateway, and others can read it: run chmod 600 " << path
                << "\n";
    }
    write_notes(plan);
    return done;
  }
  const auto backup =
      replace_user_file(*file, *text, plan.has_secret() ? Readers::owner : Readers::as_before);
  if (backup.has_error()) {
    return report(backup.error(), failed);
  }
  std::cout << agent.title << " is connected: " << path
            << (backup->empty() ? " is new" : "; the old file is " + *backup) << "\n";
  if (plan.has_secret()) {
    std::cout << "It has a key of the gateway: only its owner may read it.\n";
  }
  write_notes(plan);
  return done;
}

int connect(const ConnectOptions& options) {
  const auto* const agent = find_agent(options.agent);
  if (agent == nullptr) {
    std::cerr << "understudy: unknown agent " << text::ticked(options.agent) << ": "
              << agent_suggestion(options.agent) << "\n";
    return bad_usage;
  }
  const auto facts = facts_of(options);
  if (facts.has_error()) {
    return report(facts.error(), bad_usage);
  }
  const auto plan = agent->plan(*facts);
  if (plan.has_error()) {
    return report(plan.error(), bad_usage);
  }
  const auto folder = folder_of(*agent);
  const auto file = folder + "/" + std::string(agent->file);
  if (!options.write) {
    return print(*agent, *plan, folder.empty() ? std::string(agent->file) : file);
  }
  if (agent->file.empty()) {
    return by_hand(*agent, *plan, "this program edits none of its files. Run");
  }
  if (folder.empty()) {
    return by_hand(*agent, *plan, "HOME is not set. Its settings");
  }
  const auto rival = folder + "/" + std::string(agent->rival);
  if (!agent->rival.empty() && std::filesystem::exists(rival)) {
    return by_hand(*agent, *plan, "comments in " + rival + " would be lost. Add there");
  }
  return write(*agent, *plan, file);
}

}  // namespace

Command connect_command(CLI::App& program) {
  auto options = std::make_shared<ConnectOptions>();
  auto* const app = program.add_subcommand(
      "connect",
      "Prints what an agent needs to use the gateway, or writes it to the agent's settings.\n"
      "Exit code 1: the settings were not written; 2: unknown agent, or no gateway.");
  app->add_option("AGENT", options->agent, "claude, codex, opencode, qwen, pi, cline or hermes")
      ->required();
  app->add_flag("--write", options->write,
                "Changes the agent's own file; the old one is kept as FILE.bak");
  app->add_option("--config", options->config, "The gateway's configuration");
  app->add_option("--url", options->url,
                  "The gateway's address as the agent reaches it; default: `server.listen`");
  return {app, [options] { return connect(*options); }};
}

}  // namespace understudy::tool
