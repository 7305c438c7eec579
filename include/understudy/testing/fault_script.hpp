/// What a FaultServer is told to do (fault_server.hpp): values, built in one expression.
///
///     Greeting::unread();                                            // a connection
///     Reply::answer("one two three").after(2, Fault::silence(10s));  // a request
///     Reply::answer().think("well").call("call_1", "weather", R"({"city": "Oslo"})");
///     Reply::status(429, "slow down").with_header("retry-after", "2");
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/net/http_message.hpp"
#include "understudy/runtime/clock.hpp"
#include "understudy/testing/test_certificates.hpp"

namespace understudy::testing {

/// What a connection meets before its first request is answered.
class Greeting {
 public:
  enum class Kind : unsigned char { serve, silence, unread, close, reset };

  static Greeting serve() { return Greeting(Kind::serve); }
  /// Takes what comes, and says nothing: over TLS, not even the handshake.
  static Greeting silence() { return Greeting(Kind::silence); }
  /// Shakes hands, over TLS, and then reads nothing, so that the client's write stalls once the
  /// buffers are full: keep them small (TcpAcceptor's receive_buffer, MemoryNetwork's capacity).
  static Greeting unread() { return Greeting(Kind::unread); }
  static Greeting close() { return Greeting(Kind::close); }
  static Greeting reset() { return Greeting(Kind::reset); }

  /// Over TLS; default: good.
  Greeting& with_certificate(TestCertificates::Kind c) { return certificate = c, *this; }

  Kind kind;
  TestCertificates::Kind certificate = TestCertificates::Kind::good;

 private:
  explicit Greeting(Kind k) noexcept : kind(k) {}
};

/// What goes wrong at one place of a response.
class UNDERSTUDY_API Fault {
 public:
  enum class Kind : unsigned char { pause, reset, close, truncated_chunk, end, error, bytes };

  /// Nothing more, for ever. `heartbeats`: but for the protocol's own kind of them, at that distance
  /// (an empty line where the answer is not streamed); zero: none.
  static Fault silence(Clock::duration heartbeats = {});
  /// The same for a time; then it goes on.
  static Fault pause(Clock::duration length, Clock::duration heartbeats = {});
  static Fault reset() { return Fault(Kind::reset); }
  /// The connection ends as if it were whole (FIN), the body does not.
  static Fault close() { return Fault(Kind::close); }
  /// The same in the middle of a chunk.
  static Fault truncated_chunk() { return Fault(Kind::truncated_chunk); }
  /// The body ends in due form, without what should have come.
  static Fault end() { return Fault(Kind::end); }
  /// The protocol's error event, and then the body's end in due form.
  static Fault error(std::string type, std::string message, std::string code = {});
  /// These bytes as a part of the body; then it goes on.
  static Fault bytes(std::string text);

  Kind kind;
  std::optional<Clock::duration> length;  ///< of a pause; nothing: for ever
  Clock::duration heartbeats{};
  std::string type;
  std::string text;  ///< message or bytes
  std::string code;

 private:
  explicit Fault(Kind k) noexcept : kind(k) {}
};

/// What one request gets.
class UNDERSTUDY_API Reply {
 public:
  /// What becomes of the connection when the reply is over.
  enum class After : unsigned char { keep, close, close_when_idle, close_at_next_request };

  /// A good answer: `text`, one event a word, with usage and all that belongs to it.
  static Reply answer(std::string text = "one two three four five six seven eight nine ten");
  /// An error status with the protocol's body.
  static Reply status(unsigned status, std::string message, std::string type = {},
                      std::string code = {});
  /// Whatever you like, for any path.
  static Reply page(unsigned status, std::string_view content_type, std::string body);

  static Reply html();  ///< 200, and a page for people
  static Reply redirect(std::string_view location);
  static Reply gzipped();           ///< 200, compressed, whether or not it was asked for
  static Reply oversized_header();  ///< 200, with 64 KiB of it

  /// More of an answer, behind what there is. Thoughts and arguments come a word at a time as well.
  Reply& think(std::string text);
  Reply& say(std::string text);
  Reply& call(std::string id, std::string name, std::string arguments);
  Reply& with_finish(llm::FinishReason reason) { return finish = reason, *this; }

  Reply& with_header(std::string_view name, std::string_view value) {
    return headers.add(name, value), *this;
  }
  /// 100, 102, 103: before the response itself, each time this is called.
  Reply& with_interim(unsigned status) { return interim.push_back(status), *this; }
  /// A pause before each event but the first, or before each byte of the response.
  Reply& dripping(Clock::duration every) { return event_gap = every, *this; }
  Reply& dripping_bytes(Clock::duration every) { return byte_gap = every, *this; }

  /// The request was read, and no byte was sent: pause, reset or close; else std::invalid_argument.
  Reply& before_head(Fault fault);
  /// `events` of the answer were sent; the first is its start, which says nothing yet. With 0: the
  /// head alone; with more than there are: all but the end of the body. What is not streamed comes in
  /// one piece, before which all faults meet. May be given for several places.
  Reply& after(std::size_t events, Fault fault);
  /// The answer is complete, and the stream not at its end. (In Responses one event says both.)
  Reply& after_finish(Fault fault);
  /// `bytes` of the response were sent, interim ones and heads included, and no more will be.
  Reply& reset_at(std::size_t bytes);
  Reply& close_at(std::size_t bytes);

  Reply& then_close() { return next = After::close, *this; }
  /// Kept alive, and closed if no request came for so long.
  Reply& then_close_when_idle(Clock::duration idle) {
    return next = After::close_when_idle, idle_for = idle, *this;
  }
  /// Kept alive, and reset when the next request begins to come.
  Reply& then_close_at_next_request() { return next = After::close_at_next_request, *this; }

  /// A part of the answer.
  class Said {
   public:
    enum class Kind : unsigned char { thought, text, call };

    Said(Kind k, std::string t, std::string i = {}, std::string n = {})
        : kind(k), text(std::move(t)), id(std::move(i)), name(std::move(n)) {}

    Kind kind;
    std::string text;
    std::string id;
    std::string name;
  };

  /// What the body is.
  enum class Kind : unsigned char { answer, status, page };

  Kind kind = Kind::answer;
  unsigned code = 200;
  HttpFields headers;
  std::string body;        ///< of a page; of a status, the message
  std::string error_type;  ///< of a status; empty: the protocol's word for it
  std::string error_code;
  std::vector<Said> said;
  std::optional<llm::FinishReason> finish;  ///< default: tool_use if there is a call, else stop
  std::vector<unsigned> interim;
  Clock::duration event_gap{};
  Clock::duration byte_gap{};
  std::optional<Fault> head_fault;
  std::map<std::size_t, Fault> event_faults;
  std::optional<Fault> finish_fault;
  std::optional<std::pair<std::size_t, Fault>> byte_fault;
  After next = After::keep;
  Clock::duration idle_for{};

 private:
  explicit Reply(Kind k) noexcept : kind(k) {}
};

}  // namespace understudy::testing
