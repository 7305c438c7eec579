/// `understudy catalog probe`: asks a provider, with the user's own key, which members of a request it accepts.
#pragma once

#include <string>

namespace understudy::tool {

/// Sends some 15 tiny requests to the provider of the configuration, and prints the rules that differ from the catalog as a
/// catalog file. `model` may be empty: the first model of a chain at that provider. Returns the exit code.
int probe_provider(const std::string& config_file, const std::string& provider,
                   const std::string& model);

}  // namespace understudy::tool
