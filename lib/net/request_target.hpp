/// Where a request is meant to go: its target and its Host field, checked, and brought into one form.
///
/// Invariants
/// 1. Afterwards the target is in origin-form unless the request had another form that is not absolute-form
///    (`*`, CONNECT's), and `HttpHead::authority` names host and port. The target's own authority replaces the
///    Host field's (RFC 9112 3.2.2), so that nothing routes by one and checks the other.
/// 2. Two Host fields, a Host that cannot be one, or none in HTTP/1.1 are errors (RFC 9112 3.2).
///
///     if (const auto wrong = settle_target(head)) { ... answer 400 ... }
#pragma once

#include <optional>

#include "understudy/net/error.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::detail {

/// See the top of the file. Returns what is wrong with the request, or nothing.
std::optional<NetError> settle_target(HttpHead& head);

}  // namespace understudy::detail
