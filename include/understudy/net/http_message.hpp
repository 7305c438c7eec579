/// The parts of HTTP messages: header fields, and the head of a request or a response.
///
/// Invariants
/// 1. Field names match case-insensitively; fields keep their order and their spelling.
/// 2. All fields of a message are stored in one string: a head costs two allocations, regardless of its length.
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

/// Header fields in order. Views are valid until the next `add` or until the object is destroyed.
class UNDERSTUDY_API HttpFields {
 public:
  HttpFields() noexcept {}

  /// Appends a field. It is not checked here (is_valid_field).
  void add(std::string_view name, std::string_view value);

  /// The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  /// The number of fields.
  std::size_t size() const noexcept { return entries_.size(); }
  /// The name and the value of field `i`, which must be less than size().
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

/// Whether a comma-separated field value contains `token`, compared case-insensitively.
UNDERSTUDY_API bool has_token(std::string_view value, std::string_view word) noexcept;

/// Whether this may be sent as a field: the name consists of token characters, and the value has no control
/// characters except tab (RFC 9110 5.1, 5.5). Also used to check fields from a user's configuration.
UNDERSTUDY_API bool is_valid_field(std::string_view name, std::string_view value) noexcept;

/// A request to be sent. HEAD and CONNECT are not supported. The client adds `host`, `content-length` and
/// `accept-encoding: identity`, and no other field.
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
  bool fresh_connection = false;  ///< must not be sent on a reused connection
};

/// The head of a received message. A request has a method and a target; a response has a status.
class HttpHead {
 public:
  HttpHead() noexcept {}

  unsigned status = 0;
  std::string method;
  std::string target;
  std::string authority;  ///< host and port that a request addresses; set by HttpServer
  int minor_version = 1;  ///< HTTP/1.0 or 1.1
  HttpFields headers;
};

}  // namespace understudy
