// Writes examples/understudy.toml and docs/configuration.md: `./dev configuration`.
#include <fstream>
#include <iostream>

#include "config_pages.hpp"

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: write_config_pages FOLDER (the top of the repository)\n";
    return 2;
  }
  const std::string top = arguments[1];
  std::ofstream(top + "/examples/understudy.toml") << understudy::config::example_file();
  std::ofstream(top + "/docs/configuration.md") << understudy::config::reference_page();
}
