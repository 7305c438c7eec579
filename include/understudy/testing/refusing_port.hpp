/// A local TCP port that refuses every connection, and that no other process can use meanwhile.
///
///     const RefusingPort port;
///     Addresses here{asio::ip::make_address("127.0.0.1")};
///     auto refused = co_await dialer.dial(std::move(here), port.number());
#pragma once

#include <cstdint>

#include "understudy/export.hpp"

namespace understudy::testing {

/// A socket that is bound to 127.0.0.1 and does not listen. Threads: any.
class UNDERSTUDY_API RefusingPort {
 public:
  /// Throws system_error if no port is available.
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;

  /// The port's number.
  std::uint16_t number() const noexcept { return number_; }

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

}  // namespace understudy::testing
