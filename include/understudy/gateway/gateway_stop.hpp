/// Why the gateway itself has cancelled a call: a code that CallRecord::report may have.
///
/// Invariants
/// 1. An error code of a category of its own, equivalent to errc::operation_canceled, and never a reason for a
///    failover: no member is marked because a client left.
///
///     if (record.report.code == GatewayStop::client_gone) { ++abandoned; }
#pragma once

#include <boost/system/error_code.hpp>
#include <type_traits>

#include "understudy/export.hpp"
#include "understudy/net/error.hpp"

namespace understudy::gateway {

/// Why the gateway stops a call. Values of one error category, `gateway_category()`.
enum class GatewayStop {
  client_gone =
      1,  ///< the client closed its connection, or its own direction of it, before the answer's end
};

/// The category of GatewayStop.
UNDERSTUDY_API const boost::system::error_category& gateway_category() noexcept;

/// A reason to stop as an error code.
inline error_code make_error_code(GatewayStop stop) noexcept {
  return {static_cast<int>(stop), gateway_category()};
}

}  // namespace understudy::gateway

template <>
struct boost::system::is_error_code_enum<understudy::gateway::GatewayStop> : std::true_type {};
