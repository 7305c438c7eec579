#include "chat_words.hpp"

#include <algorithm>
#include <array>

namespace understudy::detail {
namespace {

struct Reason {
  std::string_view name;
  FinishReason reason;
};

constexpr std::array reasons{
    Reason{"stop", FinishReason::stop},
    Reason{"end", FinishReason::stop},
    Reason{"length", FinishReason::length},
    Reason{"model_length", FinishReason::length},
    Reason{"tool_calls", FinishReason::tool_use},
    Reason{"function_call", FinishReason::tool_use},
    Reason{"content_filter", FinishReason::refusal},
};

const Reason* known(std::string_view name) {
  const auto* found =
      std::find_if(reasons.begin(), reasons.end(), [&](const Reason& r) { return r.name == name; });
  return found == reasons.end() ? nullptr : found;
}

}  // namespace

FinishReason chat_finish(std::string_view reason) {
  const auto* found = known(reason);
  return found == nullptr ? FinishReason::other : found->reason;
}

bool chat_failure(std::string_view reason) {
  return reason == "error" || reason == "abort" || reason == "insufficient_system_resource";
}

std::string_view chat_finish_reason(FinishReason reason, std::string_view native) {
  if (known(native) != nullptr) {
    return native;
  }
  switch (reason) {
    case FinishReason::stop:
    case FinishReason::stop_sequence:
    case FinishReason::pause: return "stop";
    case FinishReason::length:
    case FinishReason::context_full: return "length";
    case FinishReason::tool_use: return "tool_calls";
    case FinishReason::refusal: return "content_filter";
    case FinishReason::other: return native;
  }
  return native;
}

}  // namespace understudy::detail
