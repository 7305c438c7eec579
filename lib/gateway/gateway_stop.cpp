#include "understudy/gateway/gateway_stop.hpp"

#include <string>

namespace understudy::gateway {
namespace {

class GatewayCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "understudy.gateway"; }
  std::string message(int code) const override {
    return code == static_cast<int>(GatewayStop::client_gone) ? "client_gone" : "unknown";
  }
  boost::system::error_condition default_error_condition(int) const noexcept override {
    return boost::system::errc::make_error_condition(boost::system::errc::operation_canceled);
  }
};

}  // namespace

const boost::system::error_category& gateway_category() noexcept {
  static const GatewayCategory category;
  return category;
}

}  // namespace understudy::gateway
