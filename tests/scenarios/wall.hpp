/// The provider side of all scenarios: one FaultServer whose behaviour depends on the model's name, and a peer
/// that never reads.
///
/// Every scenario names its members' models after itself ("s17-first", "s17-second"), so that what they got can
/// be told apart afterwards. A model without a script is healthy.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

namespace scenarios {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;
using asio::awaitable;
using testing::Fault;
using testing::FaultServer;
using testing::Reply;
using testing::SeenConnection;
using testing::SeenRequest;

/// What a healthy member says: scenarios.md 1.
extern const std::string sixty_words;

/// What a fallback of its own words adds to a begun answer.
extern const std::string own_rest;

/// The first words of `sixty_words`, and what such a fallback adds to them.
std::string resumed_after(std::size_t words);
constexpr Clock::duration word_gap = 15ms;

/// A healthy answer. A role-only event comes first, so that `after(n + 1, ...)` strikes after n words.
Reply healthy();

/// A request that the wall has read, and how its connection went on.
class WallAttempt {
 public:
  WallAttempt(const SeenConnection& c, const SeenRequest& r, bool last)
      : connection(&c), request(&r), last_on_connection(last) {}

  Clock::time_point at() const noexcept { return request->at; }
  /// When the gateway closed the connection, if it did with this request as its last.
  std::optional<Clock::time_point> closed() const noexcept;

  const SeenConnection* connection;
  const SeenRequest* request;
  bool last_on_connection;
};

/// See the top of the file. Threads: one executor.
class Wall {
 public:
  explicit Wall(const asio::any_io_executor& executor);
  Wall(const Wall&) = delete;
  Wall& operator=(const Wall&) = delete;

  /// Until it is cancelled.
  awaitable<void> serve();

  std::uint16_t port() const noexcept { return port_.port(); }
  std::uint16_t deaf_port() const noexcept { return deaf_port_.port(); }

  /// Requests for this model, in the order in which they came.
  std::vector<WallAttempt> attempts(const std::string& model) const;

  /// This model continues an assistant's last message, if that is a beginning of its text; or refuses such a
  /// request.
  void refuse_prefill(const std::string& model);

  /// This model answers in its own words. If it is asked to resume another answer, it repeats the end of that, and
  /// continues with `own_rest`.
  void answer_in_own_words(const std::string& model);

  FaultServer server;
  FaultServer deaf;
  std::size_t prefill_refusals = 0;

 private:
  TcpAcceptor port_;
  TcpAcceptor deaf_port_;
};

}  // namespace scenarios
