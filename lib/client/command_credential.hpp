/// A credential that a command prints, such as `gcloud auth print-access-token`; it is run again when the provider
/// refuses what it printed last.
///
/// Invariants
/// 1. The command is run without a shell, with an empty standard input. It ends within 30 seconds, or is killed.
/// 2. What it prints is the credential: one line of at most 64 KiB. It is in no message.
#pragma once

#include <string>
#include <vector>

#include "understudy/failover/credential_pool.hpp"

namespace understudy::detail {

/// Runs the command, blocking, and returns the credential with its refresher. `arguments`: the program, which is looked
/// for in PATH, and its arguments; not empty. Errors: `auth_permanent`, with a message that says what went wrong.
Result<Credential> command_credential(std::string label, const std::vector<std::string>& arguments);

}  // namespace understudy::detail
