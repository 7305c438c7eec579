// 5,000 connections to the gateway that ask nothing: it answers others as before, and its memory has a bound.
//
//     many_connections PROGRAM
//
// Exit code 77, a skip: this machine does not let a process have that many.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "gateway_process.hpp"

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t wanted = 5'000;
/// Of the gateway's own memory, for each: a parser, its buffers' owner, a coroutine and its timer.
constexpr std::size_t most_kib_each = 16;

bool answers(asio::io_context& context, const tcp::endpoint& where) {
  tcp::socket socket(context);
  socket.connect(where);
  asio::write(
      socket,
      asio::buffer(std::string("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")));
  std::string answer;
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  return answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: many_connections PROGRAM\n";
    return 2;
  }
  if (const auto most = scenarios::allow_many_descriptors(); most < wanted + 100) {
    std::cerr << "may open " << most << " descriptors at most\n";
    return 77;
  }

  scenarios::GatewayProcess gateway(argv[1], R"([model]
provider = "ollama"
default = "any"
[server]
listen = "127.0.0.1:0"
threads = 1
)");
  asio::io_context context;
  const tcp::endpoint where(asio::ip::address_v4::loopback(), gateway.port());
  bool well = answers(context, where);
  const auto before = gateway.memory();
  std::vector<tcp::socket> silent;
  for (std::size_t i = 0; i < wanted; ++i) {
    boost::system::error_code refused;
    tcp::socket socket(context);
    socket.connect(where, refused);
    if (refused) {
      break;
    }
    silent.push_back(std::move(socket));
  }
  const auto asked = std::chrono::steady_clock::now();
  well = answers(context, where) && well;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - asked;
  const auto grown = gateway.memory() - before;
  std::cout << silent.size() << " silent connections: a request is answered in " << took.count()
            << " s; " << before << " KiB before, " << grown << " KiB more, "
            << static_cast<double>(grown) / static_cast<double>(silent.size()) << " KiB each\n";
  well = well && silent.size() == wanted && took.count() < 5 && grown <= wanted * most_kib_each;
  silent.clear();
  const bool ended_well = gateway.stop() == 0;
  return well && ended_well ? 0 : 1;
}
