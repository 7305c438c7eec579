#include "openai_error.hpp"

namespace understudy::llm::detail {
namespace {

/// protocols.md 3.3.
std::string_view error_type(unsigned status) {
  return status == 429                   ? "rate_limit_error"
         : status == 503                 ? "service_unavailable_error"
         : status >= 400 && status < 500 ? "invalid_request_error"
                                         : "server_error";
}

}  // namespace

void write_openai_error(JsonWriter& json, const Error& error) {
  json.key("error").begin_object().member("message", error.message);
  json.member("type", error.type.empty() ? std::string_view("server_error") : error.type);
  json.key("param").null().key("code");
  error.code.empty() ? json.null() : json.value(error.code);
  json.end_object();
}

void write_openai_error_body(const Error& error, unsigned status, std::string& out) {
  Error typed = error;
  typed.type = error.type.empty() ? error_type(status) : error.type;
  JsonWriter json(out);
  json.begin_object();
  write_openai_error(json, typed);
  json.end_object();
}

std::string_view openai_stream_error_type(unsigned status) noexcept {
  return status == 429 ? "rate_limit_error" : "server_error";
}

}  // namespace understudy::llm::detail
