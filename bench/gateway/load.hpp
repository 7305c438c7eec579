/// The load of the gateway's benchmark, and what it sees of the answers. It does no more with an answer than
/// to look for its end, or for a token's time stamp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace bench {

using Sample = std::vector<double>;

/// `share` of it lies below. Sorts it.
double percentile(Sample& sample, double share);

struct SmallRequests {
  double seconds = 0;
  Sample took;  // microseconds, of each
};

/// Calls that are not streamed, one after the other on each of `connections`, for that long.
SmallRequests ask_small(std::uint16_t port, std::size_t connections,
                        std::chrono::milliseconds time);

struct Streams {
  Sample first;  // milliseconds from the request to the first token, of each stream
  Sample token;  // milliseconds from upstream's write to our read, of each token
};

/// `count` streams, begun within a fifth of a second, to their ends.
Streams ask_streams(std::uint16_t port, std::size_t count);

/// Streams that have said one token and are silent, for as long as this lives.
class IdleStreams {
 public:
  IdleStreams(std::uint16_t port, std::size_t count);

 private:
  boost::asio::io_context context_{1};
  std::deque<boost::asio::ip::tcp::socket> sockets_;
};

}  // namespace bench
