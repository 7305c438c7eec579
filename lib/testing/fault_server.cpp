#include "understudy/testing/fault_server.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <memory>

#include "fault_answer.hpp"
#include "understudy/net/detail/http_io.hpp"
#include "understudy/net/detail/wake_up.hpp"
#include "understudy/runtime/race.hpp"

namespace understudy::testing {
namespace {

using namespace std::chrono_literals;
using End = SeenConnection::End;

constexpr std::uint64_t max_body = std::uint64_t{64} * 1024 * 1024;
/// How often a connection that is not read is looked at.
constexpr Clock::duration look_every = 5ms;
/// After accept() failed, for want of a descriptor say.
constexpr Clock::duration accept_again_after = 100ms;

asio::awaitable<void> for_ever() {
  detail::WakeUp never(co_await asio::this_coro::executor);
  while (!co_await never.wait()) {
  }
}

std::string hexadecimal(std::size_t n) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n, 16).ptr;
  return {digits.data(), end};
}

std::string status_line(unsigned status) {
  namespace http = boost::beast::http;
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
}

}  // namespace

std::uint64_t SeenConnection::sent_after(Clock::time_point time) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [when, bytes] : writes) {
    sum += when > time ? bytes : 0;
  }
  return sum;
}

/// One connection.
class FaultServer::Conversation {
 public:
  Conversation(FaultServer& server, SeenConnection& seen, std::unique_ptr<ByteStream> stream)
      : server_(server), seen_(seen), stream_(std::move(stream)) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() { ended(End::server); }

  asio::awaitable<void> run(Greeting greeting) {
    using Kind = Greeting::Kind;
    if (greeting.kind == Kind::reset) {
      stream_->abort();
    } else if (greeting.kind == Kind::silence) {
      co_await drain();
    } else if (greeting.kind == Kind::close) {
      stream_->shutdown_send();
      co_await drain();
    } else if (!co_await secure(greeting.certificate)) {
      co_return;
    } else if (greeting.kind == Kind::unread) {
      co_await look_on();
    } else {
      co_await converse();
    }
  }

 private:
  /// How a reply goes on after a fault.
  enum class Then : unsigned char { go_on, end_body, over };

  void ended(End how) {
    if (seen_.end == End::open) {
      seen_.end = how;
      seen_.ended = Clock::now();
    }
  }

  /// The client's end, as reading told it.
  void gone(const error_code& code) {
    const bool closed = code == asio::error::eof || code == NetFault::truncated;
    ended(closed ? End::client_closed : End::client_reset);
  }

  /// Reads what comes and drops it, until the client is gone.
  asio::awaitable<void> drain() {
    std::array<char, 4096> dropped;
    while (true) {
      const auto read = stream_->try_read(dropped);
      if (read.code == asio::error::would_block) {
        co_await stream_->wait_readable();
      } else if (read.code) {
        gone(read.code);
        co_return;
      }
    }
  }

  /// The same without reading.
  asio::awaitable<void> look_on() {
    while (!stream_->peer_gone()) {
      co_await sleep_for(look_every);
    }
    co_await drain();
  }

  /// Beside a reply: completes when the client is gone, and keeps what comes of a next request.
  asio::awaitable<void> watch() {
    while (true) {
      const auto space = buffer_.space();
      if (space.empty()) {
        co_return co_await look_on();
      }
      const auto read = stream_->try_read(space);
      if (read.code == asio::error::would_block) {
        buffer_.park();
        co_await stream_->wait_readable();
      } else if (read.code) {
        gone(read.code);
        co_return;
      } else {
        buffer_.add(read.bytes);
      }
    }
  }

  asio::awaitable<bool> secure(TestCertificates::Kind certificate) {
    if (server_.certificates_ == nullptr) {
      co_return true;
    }
    auto context = server_.certificates_->server(certificate);
    auto secured = co_await tls_accept(std::move(context), std::move(stream_));
    if (secured.has_value()) {
      stream_ = std::move(*secured);
      co_return true;
    }
    const auto& error = secured.error();
    if (error.code == NetFault::tls) {  // it did not like our certificate
      seen_.complaint = to_string(error);
      ended(End::server);
    } else {
      gone(error.code);
    }
    co_return false;
  }

  asio::awaitable<void> converse() {
    while (co_await read_request()) {
      const auto reply = server_.next_reply(seen_.requests.back());
      const auto first = co_await race(perform(reply), watch());
      if (server_.forgets_bodies_) {
        seen_.requests.back().body = {};
      }
      const auto* kept = std::get_if<0>(&first);
      if (kept == nullptr || !*kept) {
        break;
      }
      if (!co_await wait_for_next(reply)) {
        break;
      }
    }
  }

  /// Reads a request to its end. False: there is none.
  asio::awaitable<bool> read_request() {
    detail::HttpParser parser(detail::HttpParser::Role::request, max_body);
    auto error = co_await detail::read_head(*stream_, buffer_, parser, nobody_, Phase::none);
    SeenRequest request;
    if (!error) {
      request.head = parser.head();
      error = co_await read_body(parser, request.body);
    }
    if (error) {
      if (parser.started()) {
        seen_.complaint = to_string(*error);
      }
      if (error->code.category() != net_category() || error->code == NetFault::truncated) {
        gone(error->code);
      }
      co_return false;
    }
    auto read = codec(request).read_request(request.body);
    fault_.reset();
    asked_ = llm::Request();
    if (read.has_value()) {
      asked_ = std::move(*read);
    } else {
      fault_ = read.error();
    }
    request.model = asked_.model;
    request.at = Clock::now();
    keep_alive_ = parser.keep_alive();
    seen_.requests.push_back(std::move(request));
    co_return true;
  }

  asio::awaitable<std::optional<NetError>> read_body(detail::HttpParser& parser,
                                                     std::string& body) {
    const auto expected = parser.head().headers.find("expect");
    if (expected && has_token(*expected, "100-continue") && buffer_.bytes().empty()) {
      co_await detail::write_all(*stream_, "HTTP/1.1 100 Continue\r\n\r\n", nobody_);
    }
    while (!parser.done()) {
      if (!buffer_.bytes().empty()) {
        const auto step = parser.parse_body(buffer_.bytes());
        if (step.has_error()) {
          co_return step.error();
        }
        buffer_.consume(step->consumed);
        body += step->body;
      }
      if (parser.done()) {
        break;
      }
      const auto read = co_await detail::fill(*stream_, buffer_, nobody_);
      if (read.code) {
        co_return NetError(read.code == asio::error::eof ? NetFault::truncated : read.code,
                           Phase::none);
      }
    }
    co_return std::nullopt;
  }

  /// What was agreed for the time between two requests. False: the connection is over.
  asio::awaitable<bool> wait_for_next(const Reply& reply) {
    if (!buffer_.bytes().empty()) {
      co_return true;
    }
    if (reply.next == Reply::After::close_when_idle) {
      const auto first = co_await race(sleep_for(reply.idle_for), stream_->wait_readable());
      if (first.index() == 0) {
        stream_->close();
        co_return false;
      }
    } else if (reply.next == Reply::After::close_at_next_request) {
      const auto read = co_await detail::fill(*stream_, buffer_, nobody_);
      if (read.code) {
        gone(read.code);
      } else {
        stream_->abort();
      }
      co_return false;
    }
    co_return true;
  }

  /// Sends the reply. True: another request may follow.
  asio::awaitable<bool> perform(const Reply& scripted) {
    const auto& request = seen_.requests.back();
    const bool unreadable = fault_ && scripted.kind == Reply::Kind::answer;
    const auto reply =
        unreadable ? Reply::status(400, fault_->message, "invalid_request_error") : scripted;
    FaultAnswer answer(reply, codec(request), asked_, server_.requests());
    reply_ = &reply;
    answer_ = &answer;
    sent_ = 0;
    chunked_ =
        reply.kind == Reply::Kind::answer || !reply.event_faults.empty() || !reply.parts.empty();
    if (reply.head_fault) {
      if (co_await suffer(*reply.head_fault) != Then::go_on) {
        co_return false;
      }
    }
    if (!co_await put(head())) {
      co_return false;
    }
    for (std::size_t i = 0; i <= answer.parts(); ++i) {
      switch (co_await meet(i)) {
        case Then::go_on: break;
        case Then::end_body: co_return co_await finish();
        case Then::over: co_return false;
      }
      if (i < answer.parts()) {
        if (i > 0 && reply.event_gap > Clock::duration()) {
          co_await sleep_for(reply.event_gap);
        }
        if (!co_await put(framed(answer.part(i)))) {
          co_return false;
        }
      }
    }
    co_return co_await finish();
  }

  bool closes() const noexcept { return !keep_alive_ || reply_->next == Reply::After::close; }

  std::string head() const {
    std::string out;
    for (const auto code : reply_->interim) {
      out += status_line(code) + "\r\n";
    }
    out += status_line(reply_->code);
    if (!reply_->headers.find("content-type")) {
      out.append("content-type: ").append(answer_->content_type()).append("\r\n");
    }
    for (std::size_t i = 0; i < reply_->headers.size(); ++i) {
      const auto [name, value] = reply_->headers[i];
      out.append(name).append(": ").append(value).append("\r\n");
    }
    if (closes()) {
      out += "connection: close\r\n";
    }
    if (chunked_) {
      return out + "transfer-encoding: chunked\r\n\r\n";
    }
    return out + "content-length: " + std::to_string(answer_->part(0).size()) + "\r\n\r\n";
  }

  std::string framed(const std::string& part) const {
    return chunked_ && !part.empty() ? hexadecimal(part.size()) + "\r\n" + part + "\r\n" : part;
  }

  /// The faults that strike before part `i`.
  asio::awaitable<Then> meet(std::size_t i) {
    for (const auto& [events, fault] : reply_->event_faults) {
      if (answer_->place(events) == i) {
        if (const auto then = co_await suffer(fault); then != Then::go_on) {
          co_return then;
        }
      }
    }
    if (reply_->finish_fault && answer_->place_of_finish() == i) {
      co_return co_await suffer(*reply_->finish_fault);
    }
    co_return Then::go_on;
  }

  asio::awaitable<Then> suffer(const Fault& fault) {
    switch (fault.kind) {
      case Fault::Kind::pause: co_return co_await pause(fault) ? Then::go_on : Then::over;
      case Fault::Kind::reset:
        ended(End::server);
        stream_->abort();
        co_return Then::over;
      case Fault::Kind::close: co_return co_await say_no_more();
      case Fault::Kind::truncated_chunk:
        co_await put("1000\r\ndata: ");
        co_return co_await say_no_more();
      case Fault::Kind::end: co_return Then::end_body;
      case Fault::Kind::error:
        co_return co_await put(framed(answer_->error(fault))) ? Then::end_body : Then::over;
      case Fault::Kind::bytes:
        co_return co_await put(framed(fault.text)) ? Then::go_on : Then::over;
    }
    co_return Then::over;
  }

  asio::awaitable<bool> pause(const Fault& fault) {
    if (!fault.length && fault.heartbeats == Clock::duration()) {
      co_await for_ever();
    }
    const auto until = fault.length ? Clock::now() + *fault.length : Clock::time_point::max();
    while (true) {
      const auto left = until - Clock::now();
      if (fault.heartbeats == Clock::duration() || left <= fault.heartbeats) {
        co_await sleep_for(left);
        co_return true;
      }
      co_await sleep_for(fault.heartbeats);
      if (!co_await put(framed(answer_->heartbeat()))) {
        co_return false;
      }
    }
  }

  /// FIN. The client's own end is still seen, by watch().
  asio::awaitable<Then> say_no_more() {
    stream_->shutdown_send();
    co_await for_ever();
    co_return Then::over;
  }

  asio::awaitable<bool> finish() {
    std::string last_chunk = chunked_ ? "0\r\n\r\n" : "";
    if (!co_await put(std::move(last_chunk))) {
      co_return false;
    }
    if (co_await cut_here()) {
      co_return false;
    }
    if (closes()) {
      co_await say_no_more();
    }
    co_return true;
  }

  /// Whether the response ends at this byte, and was made to.
  asio::awaitable<bool> cut_here() {
    const auto& cut = reply_->byte_fault;
    if (!cut || cut->first != sent_) {
      co_return false;
    }
    co_return co_await suffer(cut->second) == Then::over;
  }

  /// Sends bytes of the response. False: the connection is over.
  asio::awaitable<bool> put(std::string bytes) {
    for (std::string_view rest = bytes; !rest.empty();) {
      if (co_await cut_here()) {
        co_return false;
      }
      const bool dripping = reply_->byte_gap > Clock::duration();
      if (dripping && sent_ > 0) {
        co_await sleep_for(reply_->byte_gap);
      }
      auto n = dripping ? 1 : rest.size();
      if (reply_->byte_fault) {
        n = std::min(n, reply_->byte_fault->first - sent_);
      }
      if (const auto code = co_await detail::write_all(*stream_, rest.substr(0, n), nobody_)) {
        gone(code);
        co_return false;
      }
      sent(n);
      rest.remove_prefix(n);
    }
    co_return true;
  }

  void sent(std::size_t n) {
    sent_ += n;
    seen_.bytes_sent += n;
    const auto now = Clock::now();
    if (!seen_.writes.empty() && seen_.writes.back().first == now) {
      seen_.writes.back().second += n;
    } else {
      seen_.writes.emplace_back(now, n);
    }
  }

  static const llm::Codec& codec(const SeenRequest& request) {
    return llm::codec_for(protocol_at(request.head.target));
  }

  FaultServer& server_;
  SeenConnection& seen_;
  std::unique_ptr<ByteStream> stream_;
  detail::ReadBuffer buffer_{std::make_shared<detail::BufferCache>()};
  IgnoreIo nobody_;

  // Of the request under way, and its reply.
  llm::Request asked_;
  std::optional<llm::RequestFault> fault_;
  bool keep_alive_ = false;
  const Reply* reply_ = nullptr;
  FaultAnswer* answer_ = nullptr;
  bool chunked_ = false;
  std::size_t sent_ = 0;
};

FaultServer& FaultServer::greet(Greeting greeting) {
  greetings_.add(greeting);
  return *this;
}

FaultServer& FaultServer::reply(Reply reply) {
  replies_.add(std::move(reply));
  return *this;
}

FaultServer& FaultServer::reply_to(const std::string& model_or_target, Reply reply) {
  replies_to_[model_or_target].add(std::move(reply));
  return *this;
}

FaultServer& FaultServer::reply_to(const std::string& model_or_target, Decide decide) {
  decide_for_[model_or_target] = std::move(decide);
  return *this;
}

FaultServer& FaultServer::reply_by(Decide decide) {
  decide_ = std::move(decide);
  return *this;
}

asio::awaitable<void> FaultServer::serve(Acceptor& acceptor) {
  const auto talk = [this](std::unique_ptr<ByteStream> stream) -> asio::awaitable<void> {
    auto& seen = connections_.emplace_back();
    seen.began = Clock::now();
    Conversation conversation(*this, seen, std::move(stream));
    co_await conversation.run(next_greeting());
  };
  const auto body = [&](Scope& scope) -> asio::awaitable<void> {
    while (true) {
      auto accepted = co_await acceptor.accept();
      if (accepted.has_error()) {
        if (accepted.error().code == asio::error::operation_aborted) {
          break;
        }
        co_await sleep_for(accept_again_after);
        continue;
      }
      auto one = [&talk, stream = std::move(*accepted)]() mutable {
        return talk(std::move(stream));
      };
      scope.spawn(std::move(one));
    }
    co_await scope.join();
  };
  co_await with_scope(body);
}

std::size_t FaultServer::open_connections() const noexcept {
  return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                [](const auto& c) { return c.end == End::open; }));
}

std::size_t FaultServer::requests() const noexcept {
  std::size_t sum = 0;
  for (const auto& connection : connections_) {
    sum += connection.requests.size();
  }
  return sum;
}

Greeting FaultServer::next_greeting() {
  return greetings_.empty() ? Greeting::serve() : greetings_.next();
}

Reply FaultServer::next_reply(const SeenRequest& request) {
  for (const auto& key : {request.model, request.head.target}) {
    if (const auto found = decide_for_.find(key); found != decide_for_.end()) {
      return found->second(request);
    }
    if (const auto found = replies_to_.find(key); found != replies_to_.end()) {
      return found->second.next();
    }
  }
  if (decide_) {
    return decide_(request);
  }
  return replies_.empty() ? Reply::answer() : replies_.next();
}

}  // namespace understudy::testing
