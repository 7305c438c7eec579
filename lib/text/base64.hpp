/// Base64 as tokens use it: the alphabet for URLs, without padding (RFC 4648 5).
#pragma once

#include <string>
#include <string_view>

namespace understudy::text {

/// The bytes before the first character that is not in the alphabet.
std::string base64url_decoded(std::string_view text);

std::string base64url_encoded(std::string_view bytes);

}  // namespace understudy::text
