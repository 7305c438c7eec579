/// Parses the arguments of a program and runs the command that they name.
#pragma once

#include <vector>

#include "command.hpp"

namespace understudy::tool {

/// Returns the exit code. `program` has the options of `commands`.
int run_command(CLI::App& program, const std::vector<Command>& commands, int argc, char** argv);

}  // namespace understudy::tool
