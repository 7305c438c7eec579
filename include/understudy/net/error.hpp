/// A network error as a value: an error code, the phase in which it occurred, and a description.
///
/// Codes are those of the system and of getaddrinfo (Asio's categories). `NetFault` covers errors for which they have
/// no code, such as those of certificates, proxies and HTTP messages.
///
/// Invariants
/// 1. The code of an error in a result is never zero.
/// 2. `operation_aborted` always means that the local side cancelled the operation or closed the connection.
/// 3. The text is for human readers: no decision depends on it, and it never contains the content of a header or a
///    body beyond a name, a status, or the target of a redirect.
///
///     auto response = co_await client.send(endpoint, request, observer);
///     if (response.has_error() && response.error().code == NetFault::certificate) { ... }
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/runtime/limit.hpp"

namespace understudy {

/// Errors of HTTP, TLS and URLs. Values of one error category, `net_category()`.
enum class NetFault {
  invalid_url = 1,    ///< not http:// or https://, or without a valid authority
  invalid_request,    ///< a method, target or header that must not be sent (CR, LF, NUL)
  no_address,         ///< the name resolves to nothing
  resolver_busy,      ///< all lookup threads are busy and the queue is full
  proxy,              ///< the proxy refused the request, or its kind is not supported
  tls_setup,          ///< a local CA file, certificate or key cannot be used
  tls,                ///< the TLS handshake or connection failed
  certificate,        ///< the peer's certificate could not be verified
  redirect,           ///< a 3xx: not followed, since the request carries credentials
  content_encoding,   ///< compressed although the request did not ask for it
  transfer_encoding,  ///< a transfer coding other than chunked
  malformed,          ///< not an HTTP/1.1 message
  header_too_large,   ///< a head, chunk header or trailer exceeds its limit
  body_too_large,     ///< a body exceeds its limit
  truncated,          ///< the connection ended before the end of the message
  stale_connection,   ///< a reused connection closed at once, without a byte (http_client.hpp)
  too_many_interim,   ///< too many 1xx responses
  too_slow,           ///< a client of the server did not send or accept bytes in time
  undecodable,        ///< a compressed body is damaged, cut off, or followed by other bytes
};

/// The category of NetFault.
UNDERSTUDY_API const boost::system::error_category& net_category() noexcept;

/// A fault as an error code.
inline boost::system::error_code make_error_code(NetFault fault) noexcept {
  return {static_cast<int>(fault), net_category()};
}

/// See the top of the file.
class NetError {
 public:
  NetError() noexcept {}  // boost::system::result requires a default constructor

  NetError(boost::system::error_code c, Phase p, std::string t = {}) noexcept
      : code(c), phase(p), text(std::move(t)) {}

  boost::system::error_code code;
  Phase phase = Phase::none;  ///< the phase in which the error occurred
  std::string text;           ///< details beyond the code's message, or empty
};

/// "certificate verification failed: certificate has expired (connect)".
UNDERSTUDY_API std::string to_string(const NetError& error);

/// A value, or an error with its text.
template <class T>
using NetResult = boost::system::result<T, NetError>;

/// The exception that `NetResult::value()` throws: a system_error with the code and the text of to_string.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const NetError& error,
                                                            const boost::source_location& place);

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::NetFault> : std::true_type {};
