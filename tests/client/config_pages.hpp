/// The two files that are written from the rows of the configuration: `./dev configuration` writes them, and a test
/// compares them with what is in the repository.
#pragma once

#include <string>

namespace understudy::config {

/// examples/understudy.toml: every key, commented out where it has a default.
std::string example_file();

/// docs/configuration.md.
std::string reference_page();

}  // namespace understudy::config
