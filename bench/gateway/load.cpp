#include "load.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "message.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::string_view good = "HTTP/1.1 200 ";

/// Spreads the streams' tokens over the 5 ms between two of one stream.
constexpr std::chrono::microseconds start_every{1025};

std::string request(std::string_view prompt, bool stream) {
  const auto body = R"({"model":"bench-1","messages":[{"role":"system","content":)"
                    R"("You answer in one sentence."},{"role":"user","content":")" +
                    std::string(prompt) + R"("}],"temperature":0.2,"stream":)" +
                    (stream ? "true" : "false") + "}";
  return "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench/1\r\n"
         "accept: */*\r\nauthorization: Bearer none\r\ncontent-type: application/json\r\n"
         "content-length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void must_be_fine(const error_code& code, std::string_view what, std::string_view answer = {}) {
  if (code || answer.substr(0, good.size()) != good.substr(0, answer.size())) {
    std::cerr << "bench_gateway: " << what << ": " << code.message() << "\n" << answer << "\n";
    std::exit(1);
  }
}

class Asker {
 public:
  Asker(asio::io_context& context, std::uint16_t port, std::string request)
      : socket(context), request_(std::move(request)) {
    socket.connect({asio::ip::address_v4::loopback(), port});
    socket.set_option(tcp::no_delay(true));
  }

  void ask() {
    asked_at = now_ns();
    asio::write(socket, asio::buffer(request_));
  }

  tcp::socket socket;
  std::int64_t asked_at = 0;
  std::array<char, 16 * 1024> buffer{};

 private:
  std::string request_;
};

class SmallAsker : public Asker {
 public:
  SmallAsker(asio::io_context& context, std::uint16_t port, std::int64_t until, Sample& took)
      : Asker(context, port, request(small_prompt, false)), until_(until), took_(took) {}

  void begin() {
    ask();
    read();
  }

 private:
  void read() {
    socket.async_read_some(asio::buffer(buffer), [this](const error_code& code, std::size_t n) {
      must_be_fine(code, "a small request");
      answer_.append(buffer.data(), n);
      const auto size = message_size(answer_);
      if (size && answer_.size() >= *size) {
        must_be_fine({}, "a small request", answer_);
        const auto now = now_ns();
        took_.push_back(static_cast<double>(now - asked_at) / 1e3);
        answer_.clear();
        if (now >= until_) {
          return;
        }
        ask();
      }
      read();
    });
  }

  std::int64_t until_;
  Sample& took_;
  std::string answer_;
};

class StreamAsker : public Asker {
 public:
  StreamAsker(asio::io_context& context, std::uint16_t port, Streams& seen)
      : Asker(context, port, request(stream_prompt, true)), seen_(seen), start_(context) {}

  void begin_after(std::chrono::microseconds delay) {
    start_.expires_after(delay);
    start_.async_wait([this](const error_code&) {
      ask();
      read();
    });
  }

 private:
  void read() {
    socket.async_read_some(asio::buffer(buffer), [this](const error_code& code, std::size_t n) {
      const std::string_view bytes(buffer.data(), n);
      must_be_fine(code, "a stream", std::exchange(begun_, true) ? good : bytes);
      if (tokens_ < stream_tokens) {
        look(bytes);
      }
      if (tokens_ == stream_tokens) {
        end_ += bytes;
      }
      if (end_.ends_with("\r\n0\r\n\r\n")) {
        socket.close();
      } else {
        read();
      }
    });
  }

  void look(std::string_view bytes) {
    const auto now = now_ns();
    if (!cut_.empty()) {  // a stamp that came in two reads
      cut_ += bytes;
      const auto whole = std::exchange(cut_, {});
      stamps_in(whole, now);
    } else {
      stamps_in(bytes, now);
    }
  }

  void stamps_in(std::string_view bytes, std::int64_t now) {
    for (auto at = bytes.find(stamp_mark); at != std::string_view::npos;
         at = bytes.find(stamp_mark, at + 1)) {
      if (bytes.size() - at <= stamp_digits) {
        cut_ = bytes.substr(at);
        return;
      }
      std::int64_t sent = 0;
      std::from_chars(bytes.data() + at + 1, bytes.data() + at + 1 + stamp_digits, sent);
      if (tokens_++ == 0) {
        seen_.first.push_back(static_cast<double>(now - asked_at) / 1e6);
      }
      seen_.token.push_back(static_cast<double>(now - sent) / 1e6);
    }
  }

  Streams& seen_;
  asio::steady_timer start_;
  bool begun_ = false;
  int tokens_ = 0;
  std::string cut_;
  std::string end_;  // what came with and after the last token
};

}  // namespace

double percentile(Sample& sample, double share) {
  std::sort(sample.begin(), sample.end());
  return sample.empty()
             ? 0
             : sample[static_cast<std::size_t>(share * static_cast<double>(sample.size() - 1))];
}

SmallRequests ask_small(std::uint16_t port, std::size_t connections,
                        std::chrono::milliseconds time) {
  asio::io_context context(1);
  SmallRequests small;
  const auto begun = now_ns();
  const auto until = begun + std::chrono::nanoseconds(time).count();
  std::deque<SmallAsker> askers;
  for (std::size_t i = 0; i < connections; ++i) {
    askers.emplace_back(context, port, until, small.took).begin();
  }
  context.run();
  small.seconds = static_cast<double>(now_ns() - begun) / 1e9;
  return small;
}

Streams ask_streams(std::uint16_t port, std::size_t count) {
  asio::io_context context(1);
  Streams seen;
  seen.token.reserve(count * static_cast<std::size_t>(stream_tokens));
  std::deque<StreamAsker> askers;
  for (std::size_t i = 0; i < count; ++i) {
    askers.emplace_back(context, port, seen);
  }
  for (std::size_t i = 0; i < count; ++i) {
    askers[i].begin_after(i * start_every);
  }
  context.run();
  return seen;
}

IdleStreams::IdleStreams(std::uint16_t port, std::size_t count) {
  std::array<char, 16 * 1024> buffer{};
  for (std::size_t i = 0; i < count; ++i) {
    auto& socket = sockets_.emplace_back(context_);
    socket.connect({asio::ip::address_v4::loopback(), port});
    asio::write(socket, asio::buffer(request(idle_prompt, true)));
    std::string answer;
    while (answer.find(stamp_mark) == std::string::npos) {
      error_code code;
      const auto n = socket.read_some(asio::buffer(buffer), code);
      answer.append(buffer.data(), n);
      must_be_fine(code, "an idle stream", answer);
    }
  }
}

}  // namespace bench
