/// What a command of the program is: a function that declares its options and says how it is run.
///
/// Each command stands in a file of its own and is listed once, in main.cpp. It reads its input from
/// standard input or files, writes what it found to standard output and what went wrong to standard
/// error, and returns the exit code that its help names.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace understudy::tool {

/// What the shell is told. A command may name more, in its help.
enum ExitCode : int {
  done = 0,
  failed = 1,         ///< it ran, and what it looked at is not as it should be
  bad_usage = 2,      ///< wrong arguments or unreadable input
  interrupted = 130,  ///< by a signal, as shells say it
};

struct Command {
  CLI::App* options;
  std::function<int()> run;
};

Command catalog_command(CLI::App& program);
Command chat_command(CLI::App& program);
Command check_command(CLI::App& program);
Command classify_command(CLI::App& program);
Command connect_command(CLI::App& program);
Command decode_command(CLI::App& program);
Command demo_command(CLI::App& program);
Command serve_command(CLI::App& program);
Command session_command(CLI::App& program);
Command simulate_command(CLI::App& program);

}  // namespace understudy::tool
