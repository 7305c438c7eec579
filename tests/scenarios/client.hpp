/// A client of the gateway, and all that it heard.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "understudy/llm/answer.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/net/http_client.hpp"

namespace scenarios {

using namespace understudy;
using namespace understudy::llm;

/// What is asked, and how.
class Question {
 public:
  Question(std::string m, Protocol p) : model(std::move(m)), protocol(p) {}

  Question& within(Clock::duration d) { return limit = d, *this; }
  /// Goes away after so many pieces of text.
  Question& leave_after(std::size_t pieces) { return leaves_after = pieces, *this; }
  Question& with_padding(std::size_t bytes) { return padding = bytes, *this; }
  Question& whole() { return stream = false, *this; }

  HttpRequest request() const;

  std::string model;
  Protocol protocol;
  Clock::duration limit = std::chrono::seconds(40);
  std::size_t leaves_after = 0;  ///< 0: stays
  std::size_t padding = 0;       ///< of the prompt, in bytes
  bool stream = true;
};

/// What came.
class Heard {
 public:
  Heard() {}

  /// A finished answer, and the connection's end in due form.
  bool complete() const noexcept { return answer.finish.has_value() && !failed() && !hung; }
  /// The client knows that it failed: a status, an error event, a broken connection.
  bool failed() const noexcept { return status / 100 != 2 || error || broken; }
  std::string header(std::string_view name) const;
  /// Since it was asked; nothing: none came.
  std::optional<Clock::duration> first_content_after() const;

  Clock::time_point began;
  std::optional<Clock::time_point> first_content;
  std::optional<Clock::time_point> last_content;
  Clock::duration longest_gap{};  ///< between two of them
  Clock::time_point ended;

  unsigned status = 0;
  HttpFields headers;
  std::string body;
  Answer answer;
  std::string last_model;            ///< the last that was named
  std::size_t pieces = 0;            ///< of text, thoughts and arguments
  std::optional<std::string> error;  ///< type, code and message
  bool broken = false;               ///< the connection or the body was cut
  bool hung = false;                 ///< the question's limit came first
  std::uint64_t undecodable = 0;
};

/// Asks, and listens to the end. Completes at the question's limit at the latest.
asio::awaitable<Heard> ask(HttpClient& http, std::uint16_t port, Question question);

/// GET; the body, empty if there was none.
asio::awaitable<std::string> get(HttpClient& http, std::uint16_t port, std::string path);

}  // namespace scenarios
