// How the texts of errors are compared, and what is found in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace understudy::llm::detail {

/// In normal form: lower case, without ` and ", and `_`, `-` and white space as one space, so that
/// "RESOURCE_EXHAUSTED" and "resource-exhausted" are the same two words. At most `limit` bytes are read.
std::string normal_words(std::string_view text, std::size_t limit);

/// Letters and digits alone, in lower case: how codes are compared.
std::string normal_code(std::string_view code);

/// "Resource Exhausted" of "ResourceExhausted".
std::string camel_case_apart(std::string_view text);

/// Without white space around it.
std::string_view trimmed(std::string_view text);

/// What a browser would show of a page, up to the text in which `limit` bytes are reached.
std::string without_tags(std::string_view page, std::size_t limit);

/// The number if it is the HTTP status of an error, else 0.
int http_error(std::int64_t number);

/// The number at the front of `text`, if it is a whole HTTP status of an error.
int leading_status(std::string_view text);

/// As SDKs and proxies write it into a sentence: "Error code: 429 - {...}", "503 Service Unavailable".
int status_in(std::string_view words);

}  // namespace understudy::llm::detail
