#include "run_command.hpp"

#include <exception>
#include <iostream>

namespace understudy::tool {

int run_command(CLI::App& program, const std::vector<Command>& commands, int argc, char** argv) {
  program.require_subcommand(1);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? done : bad_usage;
  }
  try {
    for (const auto& command : commands) {
      if (command.options->parsed()) {
        return command.run();
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "understudy: " << error.what() << "\n";
    return failed;
  }
  return bad_usage;
}

}  // namespace understudy::tool
