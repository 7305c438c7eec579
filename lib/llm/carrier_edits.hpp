/// Reasoning in a request that is passed on within one protocol.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "understudy/llm/protocol.hpp"
#include "understudy/llm/reasoning_origin.hpp"

namespace understudy::llm::detail {

/// A body whose reasoning a member can read, and how many pieces of it were changed.
struct OpenedBody {
  std::string body;
  std::size_t restored = 0;  ///< were in carriers
  std::size_t removed = 0;   ///< are someone else's, or unreadable
};

/// The body as `to` may get it: what carriers hold is restored if `to` reads it, and the reasoning of everyone else is
/// removed. Reasoning that is not in a carrier is the home's (Request::home); so it stays if `to.home`. All other bytes
/// are kept. Nothing: the body has nothing to change, or is not well-formed.
std::optional<OpenedBody> with_carriers_opened(std::string_view body, Protocol protocol,
                                               const ReasoningOrigin& to);

}  // namespace understudy::llm::detail
