/// A TCP port of this machine at which every connection is refused, and which nobody else can take
/// meanwhile.
///
///     const RefusingPort port;
///     Addresses here{asio::ip::make_address("127.0.0.1")};
///     auto refused = co_await dialer.dial(std::move(here), port.number());
#pragma once

#include <cstdint>

#include "understudy/export.hpp"

namespace understudy::testing {

/// A socket at 127.0.0.1 that is bound and does not listen. Any thread.
class UNDERSTUDY_API RefusingPort {
 public:
  /// Throws system_error when there is no port.
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;

  std::uint16_t number() const noexcept { return number_; }

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

}  // namespace understudy::testing
