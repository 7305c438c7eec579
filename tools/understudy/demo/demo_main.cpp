// `understudy demo` by itself: `./dev demo` builds no other command, so that a newcomer sees it sooner.
#include "../run_command.hpp"

using namespace understudy;

int main(int argc, char** argv) {
  CLI::App program("Keeps LLM calls alive when a provider degrades.", "understudy");
  return tool::run_command(program, {tool::demo_command(program)}, argc, argv);
}
