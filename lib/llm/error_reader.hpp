// What an error says, taken out of whatever it came in: wording, codes and status, for the rules of
// classify.cpp. It decides nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/classify.hpp"

namespace understudy::llm::detail {

struct ErrorReading {
  /// Message and wording of the body, in normal form; then the same with CamelCase taken apart, for
  /// names of exceptions ("ResourceExhausted" beside "JavaScript").
  std::string words;
  std::vector<std::string> codes;  ///< codes, types and reasons, in normal form
  std::string shown;               ///< the first sentence meant for people, as it came
  std::string said;                ///< all sentences, as they came
  std::string nested;              ///< JSON that stands in strings, as it reads there
  std::vector<std::pair<std::string, std::string>> headers;  ///< that the body quotes
  int status = 0;         ///< that the body or message names, 0 if none
  std::string markup;     ///< the body in normal form, tags and all, if it is HTML or XML
  bool has_body = false;  ///< something but white space came
};

ErrorReading read_error(const ProviderError& error);

}  // namespace understudy::llm::detail
