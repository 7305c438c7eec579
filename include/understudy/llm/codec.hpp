/// One protocol, in four directions, pure: bytes to values and values to bytes, no socket, no clock.
///
///     the client's half:   write_request -> (wire) -> EventDecoder   (event_decoder.hpp)
///     the gateway's half:  read_request  <- (wire) <- EventEncoder   (event_encoder.hpp)
///
/// Invariants
/// 1. Nothing throws on bytes from outside; every length read is bounded by the bytes that were given.
/// 2. A codec renders what it is given. What another protocol's conversation needs to be rewritten for
///    this one (tool ids, foreign reasoning, roles) is the business of translate.hpp, before it.
/// 3. A codec has no state and is safe to use from any thread; readers and writers have one answer's.
///
///     const Codec& codec = codec_for(Protocol::anthropic_messages);
///     std::string body;
///     codec.write_request(request, body);
#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/runtime/wall_clock.hpp"

namespace understudy::llm {

namespace detail {
class PayloadReader;
struct Document;
}  // namespace detail

class Answer;
class EventEncoder;

/// Why a client's request cannot be understood: what a 400 is to say.
class RequestFault {
 public:
  RequestFault() {}
  RequestFault(std::string m, std::string p = {})
      : message(std::move(m)), parameter(std::move(p)) {}

  std::string message;
  std::string parameter;  ///< the member at fault: "messages"; empty: the body as a whole
};

/// `value()` on a fault throws: a bug of the caller, who had not looked.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const RequestFault& fault,
                                                            const boost::source_location& where);

using ReadRequest = boost::system::result<Request, RequestFault>;

/// See the top of the file. Immutable; there is one of each.
class UNDERSTUDY_API Codec {
 public:
  virtual ~Codec() = default;

  virtual Protocol protocol() const noexcept = 0;

  /// Appends the request's body. `request.stream` decides between a stream and a whole answer; extra
  /// fields and opaque parts are written if `request.origin` is this protocol.
  virtual void write_request(const Request& request, std::string& out) const = 0;

  /// The body of a client's request, with `origin`, `extra` and `body` set.
  virtual ReadRequest read_request(std::string_view body) const = 0;

  /// The body of an error status, as the protocol has it. Any bytes: what is not understood is in `json`
  /// alone. The views are into `body` or `scratch`.
  virtual Error read_error(std::string_view body, std::string& scratch) const = 0;

  /// Appends the body of an error answer. An empty type becomes the protocol's word for the status.
  virtual void write_error(const Error& error, unsigned status, std::string& out) const = 0;

  /// Events to the bytes of a stream. `asked`: what the client asked for, as far as its answer depends on
  /// it; not needed after the call. `created`: when the answer was, for protocols that say so.
  virtual std::unique_ptr<EventEncoder> encoder(
      const Request& asked, std::chrono::sys_seconds created = unix_time()) const = 0;

  /// Appends the body of a whole answer.
  virtual void write_answer(const Answer& answer, std::string& out,
                            std::chrono::sys_seconds created = unix_time()) const = 0;

  /// The `type` of an error event that says `status` in mid-stream.
  virtual std::string_view stream_error_type(unsigned status) const noexcept = 0;

  /// Appends the entry of a model that a gateway serves, or the list of all of them.
  virtual void write_model(std::string_view name, std::string& out) const = 0;
  virtual void write_models(std::span<const std::string> names, std::string& out) const = 0;

  /// A document as a part of this protocol. Nothing if it takes no such document.
  virtual std::optional<OpaquePart> write_document(const detail::Document& document) const = 0;

  /// The id of a tool call among the parts that this protocol alone has. Nothing: the part is not a call.
  virtual std::optional<std::string> opaque_call_id(const OpaquePart& part) const = 0;

  /// What EventDecoder, which is how bytes become events, needs to know of this protocol.
  virtual std::unique_ptr<detail::PayloadReader> reader() const = 0;
};

/// The codec of a protocol.
UNDERSTUDY_API const Codec& codec_for(Protocol protocol) noexcept;

/// The body of a client's request for a provider that speaks the same protocol: as it came, but for the
/// members named in `members` (name and JSON text), which are replaced where they stand, or added.
/// Nothing if `body` is not a JSON object.
UNDERSTUDY_API std::optional<std::string> with_members(std::string_view body,
                                                       const ExtraFields& members);

/// The text of a string among the members of a JSON object. Nothing: there is none, or no object.
UNDERSTUDY_API std::optional<std::string> member_text(std::string_view body, std::string_view name);

}  // namespace understudy::llm
