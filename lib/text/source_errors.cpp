#include "understudy/text/source_errors.hpp"

#include <stdexcept>

namespace understudy::text {

std::string to_string(const SourceErrors& errors) {
  std::string text;
  for (const auto& error : errors.errors) {
    text += text.empty() ? "" : "\n";
    text += error.file.empty() ? errors.file : error.file;
    if (error.place.line > 0) {
      text.append(":").append(std::to_string(error.place.line));
      text.append(":").append(std::to_string(error.place.column));
    }
    text.append(": ").append(error.what).append(": ").append(error.suggestion);
  }
  return text;
}

void throw_exception_from_error(const SourceErrors& errors,
                                const boost::source_location& /*site*/) {
  throw std::runtime_error(to_string(errors));
}

}  // namespace understudy::text
