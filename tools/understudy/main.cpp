// The program: one command for each thing that it does.
#include "run_command.hpp"
#include "understudy/version.hpp"

using namespace understudy;

int main(int argc, char** argv) {
  CLI::App program("Keeps LLM calls alive when a provider degrades.", "understudy");
  program.set_version_flag("--version", std::string(version()));
  const std::vector<tool::Command> commands{
      tool::demo_command(program),    tool::chat_command(program),
      tool::catalog_command(program), tool::serve_command(program),
      tool::connect_command(program), tool::session_command(program),
      tool::check_command(program),   tool::classify_command(program),
      tool::decode_command(program),  tool::simulate_command(program),
  };
  return tool::run_command(program, commands, argc, argv);
}
