#include "understudy/client/delivery_settings.hpp"

namespace understudy {

std::string_view to_string(OnPartial what) noexcept {
  switch (what) {
    case OnPartial::fail: return "fail";
    case OnPartial::restart: return "restart";
    case OnPartial::resume: return "resume";
  }
  return {};
}

}  // namespace understudy
