#include "upstream.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "message.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string hex(std::size_t n) {
  std::array<char, 16> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n, 16).ptr};
}

std::string event(std::string_view choices) {
  return std::string(R"(data: {"id":"chatcmpl-CNnGtFeDpFqKCjYvHfpRkUZbvMbNc",)") +
         R"("object":"chat.completion.chunk","created":1764115200,"model":"bench-1-2026-11-26",)" +
         R"("service_tier":"default","system_fingerprint":"fp_9b78b61c52",)" +
         std::string(choices) + "}\n\n";
}

std::string chunk(const std::string& text) { return hex(text.size()) + "\r\n" + text + "\r\n"; }

const std::string begin_stream =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" +
    chunk(event(
        R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}])"));

const std::string end_stream =
    chunk(event(R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}])") +
          event(R"("choices":[],"usage":{"prompt_tokens":9,"completion_tokens":200,)"
                R"("total_tokens":209})") +
          "data: [DONE]\n\n") +
    "0\r\n\r\n";

/// Text with a place for a stamp.
class Stamped {
 public:
  explicit Stamped(std::string text) : text_(std::move(text)), at_(text_.find(stamp_mark) + 1) {}

  const std::string& now() {
    put_stamp(text_.data() + at_, now_ns());
    return text_;
  }

 private:
  std::string text_;
  std::size_t at_;
};

std::string no_stamp() { return stamp_mark + std::string(stamp_digits, '0'); }

Stamped token(chunk(event(R"("choices":[{"index":0,"delta":{"content":")" + no_stamp() +
                          R"("},"logprobs":null,"finish_reason":null}])")));

std::string whole_answer() {
  const std::string body =
      R"({"id":"chatcmpl-CNnGtFeDpFqKCjYvHfpRkUZbvMbNc","object":"chat.completion",)"
      R"("created":1764115200,"model":"bench-1-2026-11-26","choices":[{"index":0,"message":)"
      R"({"role":"assistant","content":"The north tank is full.","refusal":null},)"
      R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,)"
      R"("completion_tokens":6,"total_tokens":15},"service_tier":"default",)"
      R"("system_fingerprint":"fp_9b78b61c52"})";
  return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}
const std::string whole = whole_answer();

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket)
      : socket_(std::move(socket)), timer_(socket_.get_executor()) {
    socket_.set_option(tcp::no_delay(true));
    socket_.non_blocking(true);
  }

  void read() {
    const auto heard = [self = shared_from_this()](const error_code& code, std::size_t n) {
      if (code) {
        self->end();
        return;
      }
      self->request_.append(self->buffer_.data(), n);
      self->answer_all();
      self->read();
    };
    socket_.async_read_some(asio::buffer(buffer_), heard);
  }

 private:
  void answer_all() {
    while (const auto size = message_size(request_)) {
      if (request_.size() < *size) {
        return;
      }
      const auto request = request_.substr(0, *size);
      request_.erase(0, *size);
      answer(request);
    }
  }

  void answer(const std::string& request) {
    const auto says = [&](std::string_view prompt) {
      return request.find("\"" + std::string(prompt) + "\"") != std::string::npos;
    };
    if (says(stream_prompt)) {
      left_ = stream_tokens - 1;
      due_ = std::chrono::steady_clock::now();
      send(begin_stream + token.now());
      wait();
    } else if (says(idle_prompt)) {
      send(begin_stream + token.now());
    } else {
      const bool streamed = request.find("\"stream\":true") != std::string::npos;
      send(streamed ? begin_stream + token.now() + end_stream : whole);
    }
  }

  void wait() {
    due_ += token_every;
    timer_.expires_at(due_);
    timer_.async_wait([self = shared_from_this()](const error_code& code) {
      if (code || !self->socket_.is_open()) {
        return;
      }
      self->send(token.now());
      if (--self->left_ > 0) {
        self->wait();
      } else {
        self->send(end_stream);
      }
    });
  }

  /// What a proxy does not take at once is more than the benchmark has to say.
  void send(std::string_view text) {
    error_code code;
    const auto sent = socket_.write_some(asio::buffer(text), code);
    if (code || sent != text.size()) {
      end();
    }
  }

  void end() {
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  std::chrono::steady_clock::time_point due_;
  int left_ = 0;
  std::array<char, 16 * 1024> buffer_{};
  std::string request_;
};

void accept_all(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const error_code& code, tcp::socket socket) {
    if (!code) {
      std::make_shared<Connection>(std::move(socket))->read();
    }
    accept_all(acceptor);
  });
}

}  // namespace

void serve_upstream(std::uint16_t port) {
  asio::io_context context(1);
  const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
  tcp::acceptor acceptor(context, here);
  accept_all(acceptor);
  context.run();
  std::_Exit(0);
}

}  // namespace bench
