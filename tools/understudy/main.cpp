// The program: one command for each thing that it does.
#include <exception>
#include <iostream>
#include <vector>

#include "command.hpp"
#include "understudy/version.hpp"

using namespace understudy;

int main(int argc, char** argv) {
  CLI::App program("Keeps LLM calls alive when a provider degrades.", "understudy");
  program.set_version_flag("--version", std::string(version()));
  program.require_subcommand(1);
  const std::vector<tool::Command> commands{
      tool::demo_command(program),    tool::chat_command(program),
      tool::catalog_command(program), tool::serve_command(program),
      tool::connect_command(program), tool::session_command(program),
      tool::check_command(program),   tool::classify_command(program),
      tool::decode_command(program),  tool::simulate_command(program),
  };
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? tool::done : tool::bad_usage;
  }
  try {
    for (const auto& command : commands) {
      if (command.options->parsed()) {
        return command.run();
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "understudy: " << error.what() << "\n";
    return tool::failed;
  }
  return tool::bad_usage;
}
