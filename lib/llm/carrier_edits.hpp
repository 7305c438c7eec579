/// Carriers in a request that is passed on within one protocol.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/llm/stream_mend.hpp"

namespace understudy::llm::detail {

/// The body as `to` may get it: what carriers hold is restored if it is from there, and the reasoning of everyone else
/// is removed. All other bytes are kept. Returns nothing if it has no carrier or is not well-formed.
std::optional<std::string> with_carriers_opened(std::string_view body, const ReasoningOrigin& to);

}  // namespace understudy::llm::detail
