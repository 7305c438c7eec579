/// What can go wrong between us and a peer, as a value: a code, where it happened, and the words for it.
///
/// Codes come from whoever has one: the system and getaddrinfo (Asio's categories), and `NetFault` where
/// they have none: what is wrong with a certificate, a proxy, or an HTTP message.
///
/// Invariants
/// 1. The code of an error in a result is never zero.
/// 2. `operation_aborted` means that we were cancelled or closed the connection ourselves, nothing else.
/// 3. The text is for people: nobody decides by it, and it never holds a header's or a body's content
///    beyond a name, a status, or the target of a redirect.
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

enum class NetFault {
  invalid_url = 1,    ///< not http:// or https://, or what follows is no authority
  invalid_request,    ///< a method, target or header that must not be sent (CR, LF, NUL)
  no_address,         ///< the name resolves to nothing
  resolver_busy,      ///< every lookup thread hangs and the queue is full
  proxy,              ///< the proxy refused, or is of a kind that is not supported
  tls_setup,          ///< a CA file, certificate or key of our own cannot be used
  tls,                ///< the TLS conversation failed
  certificate,        ///< the peer's certificate does not prove who it is
  redirect,           ///< a 3xx: not followed, since the request carries credentials
  content_encoding,   ///< compressed, although nobody asked for it
  transfer_encoding,  ///< a transfer coding other than chunked
  malformed,          ///< no HTTP/1.1 message
  header_too_large,   ///< a head, chunk header or trailer beyond its bound
  body_too_large,     ///< a body beyond its bound
  truncated,          ///< the connection ended before the message did
  stale_connection,   ///< a kept connection closed at once, without a byte (http_client.hpp)
  too_many_interim,   ///< one 1xx after the other
  too_slow,           ///< a client of ours did not send or take bytes in time
};

UNDERSTUDY_API const boost::system::error_category& net_category() noexcept;

inline boost::system::error_code make_error_code(NetFault fault) noexcept {
  return {static_cast<int>(fault), net_category()};
}

/// See the top of the file.
class NetError {
 public:
  NetError() noexcept {}  // boost::system::result wants one for what is no error

  NetError(boost::system::error_code c, Phase p, std::string t = {}) noexcept
      : code(c), phase(p), text(std::move(t)) {}

  boost::system::error_code code;
  Phase phase = Phase::none;  ///< what we were doing
  std::string text;           ///< more than the code says, or empty
};

/// "certificate does not prove who it is: certificate has expired (connect)".
UNDERSTUDY_API std::string to_string(const NetError& error);

template <class T>
using NetResult = boost::system::result<T, NetError>;

/// What `NetResult::value()` throws: a system_error with the code and to_string's text.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const NetError& error,
                                                            const boost::source_location& place);

}  // namespace understudy

template <>
struct boost::system::is_error_code_enum<understudy::NetFault> : std::true_type {};
