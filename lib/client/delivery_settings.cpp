#include "understudy/client/delivery_settings.hpp"

namespace understudy {

std::string_view to_string(ReturnWhen when) noexcept {
  switch (when) {
    case ReturnWhen::cold: return "when_cold";
    case ReturnWhen::at_once: return "at_once";
    case ReturnWhen::next_session: return "next_session";
  }
  return "unknown";
}

std::string_view to_string(OnPartial what) noexcept {
  switch (what) {
    case OnPartial::fail: return "fail";
    case OnPartial::restart: return "restart";
    case OnPartial::resume: return "resume";
  }
  return {};
}

std::string_view to_string(ToolCallDelivery what) noexcept {
  switch (what) {
    case ToolCallDelivery::held: return "held";
    case ToolCallDelivery::live: return "live";
  }
  return {};
}

}  // namespace understudy
