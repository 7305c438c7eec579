#include "understudy/testing/refusing_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace understudy::testing {

RefusingPort::RefusingPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 || ::bind(socket_, any, size) != 0 || ::getsockname(socket_, any, &size) != 0) {
    const int error = errno;
    ::close(socket_);
    throw std::system_error(error, std::system_category(), "a port that refuses");
  }
  number_ = ntohs(address.sin_port);
}

RefusingPort::~RefusingPort() { ::close(socket_); }

}  // namespace understudy::testing
