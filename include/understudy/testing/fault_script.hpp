/// The script of a FaultServer (fault_server.hpp), as values that are built in one expression.
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

/// How a connection is treated before its first request is answered.
class Greeting {
 public:
  /// What happens to the connection.
  enum class Kind : unsigned char { serve, silence, unread, close, reset };

  /// Answers the requests.
  static Greeting serve() { return Greeting(Kind::serve); }
  /// Accepts all input and sends nothing; over TLS, not even the handshake.
  static Greeting silence() { return Greeting(Kind::silence); }
  /// Completes the handshake, over TLS, and then reads nothing, so that the client's write stalls once the
  /// buffers are full; use small buffers (TcpAcceptor's receive_buffer, MemoryNetwork's capacity).
  static Greeting unread() { return Greeting(Kind::unread); }
  /// Closes the connection after accepting it.
  static Greeting close() { return Greeting(Kind::close); }
  /// Resets the connection after accepting it.
  static Greeting reset() { return Greeting(Kind::reset); }

  /// The certificate, over TLS; default: good.
  Greeting& with_certificate(TestCertificates::Kind c) { return certificate = c, *this; }

  Kind kind;
  TestCertificates::Kind certificate = TestCertificates::Kind::good;

 private:
  explicit Greeting(Kind k) noexcept : kind(k) {}
};

/// A fault at one position of a response.
class UNDERSTUDY_API Fault {
 public:
  /// What happens at the position.
  enum class Kind : unsigned char { pause, reset, close, truncated_chunk, end, error, bytes };

  /// Sends nothing more, forever, except the protocol's heartbeats at the interval `heartbeats` (an empty line if the
  /// answer is not streamed); zero: no heartbeats.
  static Fault silence(Clock::duration heartbeats = {});
  /// The same for a limited time; then the response continues.
  static Fault pause(Clock::duration length, Clock::duration heartbeats = {});
  /// Resets the connection.
  static Fault reset() { return Fault(Kind::reset); }
  /// The connection is closed (FIN) before the end of the body.
  static Fault close() { return Fault(Kind::close); }
  /// The same in the middle of a chunk.
  static Fault truncated_chunk() { return Fault(Kind::truncated_chunk); }
  /// The body ends properly, but without the rest of the answer.
  static Fault end() { return Fault(Kind::end); }
  /// The protocol's error event, and then the proper end of the body.
  static Fault error(std::string type, std::string message, std::string code = {});
  /// Sends these bytes as a part of the body; then the response continues.
  static Fault bytes(std::string text);

  Kind kind;
  std::optional<Clock::duration> length;  ///< of a pause; empty: forever
  Clock::duration heartbeats{};
  std::string type;
  std::string text;  ///< message or bytes
  std::string code;

 private:
  explicit Fault(Kind k) noexcept : kind(k) {}
};

/// The reply to one request.
class UNDERSTUDY_API Reply {
 public:
  /// How the arguments of tool calls are streamed: as they should be, or as some servers send them (protocols.md 9.2).
  /// Responses states them once more at the end of a call, and there they are right.
  enum class Arguments : unsigned char {
    once,
    cumulative,    ///< each piece has all that was sent before
    whole_again,   ///< in pieces, and then in one
    pieces_again,  ///< in pieces, twice
    empty_first,   ///< `{}`, and then in pieces
  };
  /// How often the finish is reported in a stream. In Responses the finish is the end, so that there is only `twice`.
  enum class Finishes : unsigned char {
    once,
    taken_back,        ///< also too early, with more of the answer behind it
    with_every_event,  ///< also with each event that has content
    twice,             ///< at the end
  };

  /// What happens to the connection at the end of the reply.
  enum class After : unsigned char { keep, close, close_when_idle, close_at_next_request };

  /// A correct, complete answer: `text`, one event per word, with usage.
  static Reply answer(std::string text = "one two three four five six seven eight nine ten");
  /// An error status with the protocol's body.
  static Reply status(unsigned status, std::string message, std::string type = {},
                      std::string code = {});
  /// An arbitrary response, for any path.
  static Reply page(unsigned status, std::string_view content_type, std::string body);

  /// The same with status 200 and a body that is sent in these parts: an arbitrary stream of events.
  static Reply stream(std::string_view content_type, std::vector<std::string> parts);

  static Reply html();  ///< 200 with an HTML page
  /// A redirect (307), which a client of an API must not follow.
  static Reply redirect(std::string_view location);
  static Reply gzipped();           ///< 200, compressed even if the client did not request it
  static Reply oversized_header();  ///< 200, with 64 KiB of it

  /// Appends to an answer. Thoughts and arguments are also sent one word at a time.
  Reply& think(std::string text);
  /// Text.
  Reply& say(std::string text);
  /// A tool call.
  Reply& call(std::string id, std::string name, std::string arguments);
  Reply& with_finish(llm::FinishReason reason) { return finish = reason, *this; }
  /// How the arguments of tool calls are streamed.
  Reply& sending(Arguments how) { return resent = how, *this; }
  /// `before`: the event of the answer in front of which `taken_back` reports a finish, in one piece with it; not in front
  /// of the first content.
  Reply& reporting(Finishes how, std::size_t before = 2) {
    return finishes = how, early_finish = before, *this;
  }

  Reply& with_header(std::string_view name, std::string_view value) {
    return headers.add(name, value), *this;
  }
  /// 100, 102, 103: before the response itself, each time this is called.
  Reply& with_interim(unsigned status) { return interim.push_back(status), *this; }
  /// A pause before each event except the first, or before each byte of the response.
  Reply& dripping(Clock::duration every) { return event_gap = every, *this; }
  /// As above, for bytes.
  Reply& dripping_bytes(Clock::duration every) { return byte_gap = every, *this; }

  /// A fault after the request was read and before any byte is sent: pause, reset or close. Throws
  /// std::invalid_argument for others.
  Reply& before_head(Fault fault);
  /// A fault after `events` events of the answer; the first is its start, without content. With 0: after the head; with
  /// more than the answer has: after all except the end of the body. An answer that is not streamed is sent in one
  /// piece, and all faults occur before it. May be called for several positions.
  Reply& after(std::size_t events, Fault fault);
  /// A fault after the complete answer and before the end of the stream. (In Responses one event marks both.)
  Reply& after_finish(Fault fault);
  /// A fault after `bytes` bytes of the response, including interim responses and heads. No more bytes are sent.
  Reply& reset_at(std::size_t bytes);
  /// As above, with a FIN.
  Reply& close_at(std::size_t bytes);

  /// Closes the connection after the response.
  Reply& then_close() { return next = After::close, *this; }
  /// Keeps the connection alive, and closes it if no request arrives within this time.
  Reply& then_close_when_idle(Clock::duration idle) {
    return next = After::close_when_idle, idle_for = idle, *this;
  }
  /// Keeps the connection alive, and resets it when the next request begins to arrive.
  Reply& then_close_at_next_request() { return next = After::close_at_next_request, *this; }

  /// A part of the answer.
  class Said {
   public:
    /// What the part is.
    enum class Kind : unsigned char { thought, text, call };

    Said(Kind k, std::string t, std::string i = {}, std::string n = {})
        : kind(k), text(std::move(t)), id(std::move(i)), name(std::move(n)) {}

    Kind kind;
    std::string text;
    std::string id;
    std::string name;
  };

  /// The kind of body.
  enum class Kind : unsigned char { answer, status, page };

  Kind kind = Kind::answer;
  unsigned code = 200;
  HttpFields headers;
  std::string body;                ///< of a page; of a status, the message
  std::vector<std::string> parts;  ///< of a page that is a stream, instead of the body
  std::string error_type;          ///< of a status; empty: the protocol's word for it
  std::string error_code;
  std::vector<Said> said;
  std::optional<llm::FinishReason> finish;  ///< default: tool_use if there is a call, else stop
  Arguments resent = Arguments::once;
  Finishes finishes = Finishes::once;
  std::size_t early_finish = 0;
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
