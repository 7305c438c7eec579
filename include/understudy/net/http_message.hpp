/// What HTTP messages are made of: header fields, and the head of a request or a response.
///
/// Invariants
/// 1. Field names match in any case; fields keep their order and their spelling.
/// 2. All fields of a message lie in one string: a head costs two allocations, however long.
///
///     HttpRequest request("POST", "/v1/messages");
///     request.with_header("content-type", "application/json").with_body(std::move(json));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"

namespace understudy {

/// Header fields in their order. Views stay valid until the next `add`, or the object's end.
class UNDERSTUDY_API HttpFields {
 public:
  HttpFields() noexcept {}

  void add(std::string_view name, std::string_view value);

  /// The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return entries_.size(); }
  std::pair<std::string_view, std::string_view> operator[](std::size_t i) const noexcept;

 private:
  struct Entry {
    std::uint32_t at;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };

  std::string text_;
  std::vector<Entry> entries_;
};

/// Whether a comma-separated field value holds that word, in any case.
UNDERSTUDY_API bool has_token(std::string_view value, std::string_view word) noexcept;

/// Whether this may be sent as a field: a name of token characters, a value without control characters
/// but tab (RFC 9110 5.1, 5.5). What comes in from a user's configuration is checked by it.
UNDERSTUDY_API bool is_valid_field(std::string_view name, std::string_view value) noexcept;

/// A request to be sent; HEAD and CONNECT cannot be. `host`, `content-length` and `accept-encoding: identity` are the client's to add;
/// nothing else is.
class HttpRequest {
 public:
  HttpRequest(std::string m, std::string t) noexcept : method(std::move(m)), target(std::move(t)) {}

  HttpRequest& with_header(std::string_view name, std::string_view value) {
    return headers.add(name, value), *this;
  }
  HttpRequest& with_body(std::string text) { return body = std::move(text), *this; }
  HttpRequest& with_fresh_connection(bool on) { return fresh_connection = on, *this; }

  std::string method;
  std::string target;  ///< path and query
  HttpFields headers;
  std::string body;
  bool fresh_connection = false;  ///< not to be sent on a connection that was kept
};

/// The head of a message that came in. A request has method and target, a response its status.
class HttpHead {
 public:
  HttpHead() noexcept {}

  unsigned status = 0;
  std::string method;
  std::string target;
  std::string authority;  ///< host and port that a request is meant for; set by HttpServer
  int minor_version = 1;  ///< HTTP/1.0 or 1.1
  HttpFields headers;
};

}  // namespace understudy
