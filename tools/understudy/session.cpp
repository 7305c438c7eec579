// `understudy session clean`: a session that a fallback has served continues without the gateway.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "command.hpp"
#include "understudy/llm/cleaned_session.hpp"

namespace understudy::tool {
namespace {

namespace files = std::filesystem;

struct Cleaned {
  std::string text;
  std::size_t removed = 0;
};

/// Line by line; a file of one JSON value over several lines is one.
Cleaned cleaned(const std::string& text) {
  Cleaned all;
  const auto whole = llm::cleaned_session_line(text);
  if (whole.removed > 0) {
    return {whole.text, whole.removed};
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    auto one = llm::cleaned_session_line(line);
    all.removed += one.removed;
    if (!one.dropped) {
      all.text.append(one.text);
      all.text.append(lines.eof() ? "" : "\n");
    }
  }
  return all;
}

int clean(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream read;
  if (!in || !(read << in.rdbuf())) {
    std::cerr << "understudy: " << file << " cannot be read, or is empty\n";
    return failed;
  }
  const auto text = read.str();
  const auto result = cleaned(text);
  if (result.removed == 0) {
    std::cout << file << ": no reasoning of other makers\n";
    return done;
  }
  const auto backup = file + ".bak";
  const auto next = file + ".new";
  if (files::exists(backup)) {
    std::cerr << "understudy: " << backup << " exists; move it away, so that it is not lost\n";
    return failed;
  }
  std::ofstream out(next, std::ios::binary);
  out << result.text;
  out.close();
  if (!out) {
    std::cerr << "understudy: " << next << " cannot be written\n";
    return failed;
  }
  files::permissions(next, files::status(file).permissions());
  files::rename(file, backup);
  files::rename(next, file);
  std::cout << file << ": removed " << result.removed << " pieces of reasoning; the old file is "
            << backup << "\n";
  return done;
}

}  // namespace

Command session_command(CLI::App& program) {
  auto* const session = program.add_subcommand(
      "session", "What an agent has saved of a session that fallbacks have served");
  session->require_subcommand(1);
  auto* const cleaning =
      session->add_subcommand("clean",
                              "Removes reasoning of other makers from a session's file, so that "
                              "the agent can continue without "
                              "the gateway. Close the agent first.");
  const auto file = std::make_shared<std::string>();
  cleaning->add_option("FILE", *file, "The file, such as ~/.claude/projects/.../ID.jsonl")
      ->required()
      ->check(CLI::ExistingFile);
  return {session, [file] { return clean(*file); }};
}

}  // namespace understudy::tool
