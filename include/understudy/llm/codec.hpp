/// Converts between the values of the library and the bytes of one protocol, without sockets.
///
///     the client's half:   write_request -> (wire) -> EventDecoder   (event_decoder.hpp)
///     the gateway's half:  read_request  <- (wire) <- EventEncoder   (event_encoder.hpp)
///
/// Invariants
/// 1. Input bytes never cause an exception. Every length is bounded by the size of the input.
/// 2. A codec renders a request as it is. Changes that a conversation from another protocol requires (tool ids, foreign
///    reasoning, roles) are made before by translate.hpp.
/// 3. A codec has no state and may be used by any thread. A reader or an encoder has the state of one answer.
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
class PayloadFold;
class PayloadReader;
struct Document;
}  // namespace detail

class Answer;
class EventEncoder;
class ReasoningOrigin;
class StreamMend;

/// Why a client's request cannot be understood: the content of a response with status 400.
class RequestFault {
 public:
  RequestFault() {}
  RequestFault(std::string m, std::string p = {})
      : message(std::move(m)), parameter(std::move(p)) {}

  std::string message;
  std::string parameter;  ///< the member at fault, such as "messages"; empty: the body as a whole
};

/// Called by `value()` of a result that holds a fault; throws. The caller must check the result first.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const RequestFault& fault,
                                                            const boost::source_location& where);

/// A client's request, or why it cannot be understood.
using ReadRequest = boost::system::result<Request, RequestFault>;

/// See the top of the file. Immutable; there is one object for each protocol, which lives as long as the program.
class UNDERSTUDY_API Codec {
 public:
  virtual ~Codec() = default;

  /// The protocol that this object reads and writes.
  virtual Protocol protocol() const noexcept = 0;

  /// Appends the body of the request to `out`. `request.stream` selects a streamed or a whole answer. Extra fields and
  /// opaque parts are written only if `request.origin` is this protocol.
  virtual void write_request(const Request& request, std::string& out) const = 0;

  /// Parses the body of a client's request, and sets `origin`, `extra` and `body`. Ids of items that this library made
  /// up for an earlier answer are removed from both. Errors: a RequestFault.
  virtual ReadRequest read_request(std::string_view body) const = 0;

  /// Parses the body of a response with an error status. Any bytes are valid: content that is not understood is in
  /// `json` only. The views of the result refer to `body` or `scratch`.
  virtual Error read_error(std::string_view body, std::string& scratch) const = 0;

  /// Appends the body of an error response to `out`. An empty type is replaced by the protocol's type for the status.
  virtual void write_error(const Error& error, unsigned status, std::string& out) const = 0;

  /// Returns an encoder for one streamed answer. `asked`: the client's request, on which details of the answer depend,
  /// and which protocols repeat in it; it need not outlive this call. `created`: the time of the answer, for protocols
  /// that report it.
  virtual std::unique_ptr<EventEncoder> encoder(
      const Request& asked, std::chrono::sys_seconds created = unix_time()) const = 0;

  /// Returns what mends the frames of one streamed answer for a client that speaks this protocol as well
  /// (stream_mend.hpp). `origin`: where the answer is from.
  virtual std::unique_ptr<StreamMend> stream_mend(const ReasoningOrigin& origin) const = 0;

  /// Appends the body of a whole answer to `out`. `asked`, `created`: as for `encoder`; of a request of this protocol
  /// only `origin`, `model` and `body` are read. Answers without a Finish are written as truncated ones.
  virtual void write_answer(const Answer& answer, const Request& asked, std::string& out,
                            std::chrono::sys_seconds created = unix_time()) const = 0;

  /// Returns the `type` of an error event within a stream that corresponds to `status`.
  virtual std::string_view stream_error_type(unsigned status) const noexcept = 0;

  /// Append to `out` the entry of one model that a gateway serves, or the list of all of them.
  virtual void write_model(std::string_view name, std::string& out) const = 0;
  /// As above, for the list.
  virtual void write_models(std::span<const std::string> names, std::string& out) const = 0;

  /// Returns a document as a part of this protocol, or nothing if the protocol does not support such a document.
  virtual std::optional<OpaquePart> write_document(const detail::Document& document) const = 0;

  /// Returns the protocol-specific part of an EventDecoder, for one answer. Callers use EventDecoder.
  virtual std::unique_ptr<detail::PayloadReader> reader() const = 0;

  /// Returns the protocol-specific part of an AnswerFold, for one answer. Callers use AnswerFold.
  virtual std::unique_ptr<detail::PayloadFold> fold() const = 0;
};

/// Returns the codec of a protocol. It lives as long as the program.
UNDERSTUDY_API const Codec& codec_for(Protocol protocol) noexcept;

/// Returns the body of a client's request for a provider that speaks the same protocol: a copy in which the members
/// named in `members` (pairs of a name and JSON text) are replaced in place, or added. Returns nothing if `body` is not
/// a JSON object.
UNDERSTUDY_API std::optional<std::string> with_members(std::string_view body,
                                                       const ExtraFields& members);

/// Returns the text of the member `name` of a JSON object, or nothing if `body` is not a JSON object or has no such
/// member that is a string.
UNDERSTUDY_API std::optional<std::string> member_text(std::string_view body, std::string_view name);

}  // namespace understudy::llm
