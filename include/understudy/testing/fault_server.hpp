/// A provider that fails according to a script: it implements the three protocols over any Acceptor (memory, TCP or
/// TLS) and records what its clients did.
///
/// A script has two parts (fault_script.hpp): a `Greeting` for each connection, and a `Reply` for each request. Both
/// are used in the order in which they were given; the last one repeats.
///
/// Invariants
/// 1. The codecs encode its good answers, in the protocol that the path selects (".../messages", ".../responses", else
///    Chat Completions), streamed or whole, and with the model that the request names.
/// 2. Over memory in virtual time it is deterministic: every byte depends only on the script and the requests.
/// 3. serve() joins everything that it started. The records remain available afterwards.
/// 4. It detects at once that a client has gone, also during a silence, and then writes nothing more.
///
///     FaultServer server;
///     server.reply(Reply::answer("one two three").after(2, Fault::silence(10s)))   // heartbeats
///         .reply(Reply::status(429, "slow down").with_header("retry-after", "2"))
///         .reply(Reply::answer("one two three"));
///     co_await race(server.serve(*acceptor), ask_three_times(client));
///     CHECK(server.open_connections() == 0);
///     CHECK(server.connections()[0].end == SeenConnection::End::client_reset);
///
/// For refused connections, use a port of a MemoryNetwork without listen(), or a RefusingPort.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/net/transport.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/testing/fault_script.hpp"

namespace understudy::testing {

/// A request that was read completely.
class SeenRequest {
 public:
  SeenRequest() {}

  HttpHead head;
  std::string body;
  std::string model;  ///< empty if the body could not be parsed
  Clock::time_point at;
};

/// A record of a connection.
class UNDERSTUDY_API SeenConnection {
 public:
  /// client_closed: FIN; client_reset: RST, as caused by an abort.
  enum class End : unsigned char { open, client_closed, client_reset, server };

  SeenConnection() {}

  /// The number of response bytes that were written to the connection after `time`.
  std::uint64_t sent_after(Clock::time_point time) const noexcept;

  std::deque<SeenRequest> requests;
  std::string complaint;  ///< why a request could not be read; empty if all could
  Clock::time_point began;
  End end = End::open;
  Clock::time_point ended;  ///< if the connection is not open
  std::uint64_t bytes_sent = 0;
  std::vector<std::pair<Clock::time_point, std::uint64_t>> writes;
};

/// See the top of the file. Threads: one executor.
class UNDERSTUDY_API FaultServer {
 public:
  /// Plain connections.
  FaultServer() = default;
  /// TLS. The certificates must outlive it.
  explicit FaultServer(const TestCertificates& certificates) noexcept
      : certificates_(&certificates) {}
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  /// Extends the script, also while serving. The default script serves every connection and sends a good answer.
  FaultServer& greet(Greeting greeting);
  /// The reply to the next request.
  FaultServer& reply(Reply reply);
  /// A separate script for requests for this model, or else with this target.
  FaultServer& reply_to(const std::string& model_or_target, Reply reply);
  /// The same, decided when a request arrives, by the time or by its content. Replaces such a script.
  using Decide = std::function<Reply(const SeenRequest&)>;
  /// As above, decided when the request arrives.
  FaultServer& reply_to(const std::string& model_or_target, Decide decide);
  /// The same for all other requests, instead of the script.
  FaultServer& reply_by(Decide decide);
  /// The records contain no bodies, so that a server may run for a long time. A Decide still sees them.
  FaultServer& forget_bodies() { return forgets_bodies_ = true, *this; }

  /// Accepts connections until it is cancelled, or the acceptor is closed and all connections have ended. May run
  /// several times concurrently. Cancellation: closes open connections, then throws as in Asio.
  asio::awaitable<void> serve(Acceptor& acceptor);

  /// The records, in order of arrival. Their addresses are stable.
  const std::deque<SeenConnection>& connections() const noexcept { return connections_; }
  /// The connections that have not ended.
  std::size_t open_connections() const noexcept;
  /// The requests that have arrived.
  std::size_t requests() const noexcept;

 private:
  class Conversation;

  template <class T>
  class Script {
   public:
    void add(T step) { steps_.push_back(std::move(step)); }
    bool empty() const noexcept { return steps_.empty(); }
    T next() { return at_ + 1 < steps_.size() ? steps_[at_++] : steps_.back(); }

   private:
    std::vector<T> steps_;
    std::size_t at_ = 0;
  };

  Greeting next_greeting();
  Reply next_reply(const SeenRequest& request);

  const TestCertificates* certificates_ = nullptr;
  Script<Greeting> greetings_;
  Script<Reply> replies_;
  std::map<std::string, Script<Reply>> replies_to_;
  std::map<std::string, Decide> decide_for_;
  Decide decide_;
  bool forgets_bodies_ = false;
  std::deque<SeenConnection> connections_;
};

}  // namespace understudy::testing
