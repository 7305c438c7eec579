#include "openai_codec.hpp"

#include "error_body.hpp"
#include "model_list.hpp"

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

Error OpenaiCodec::read_error(std::string_view body, std::string& scratch) const {
  return read_error_body(body, scratch);
}

void OpenaiCodec::write_error(const Error& error, unsigned status, std::string& out) const {
  Error typed = error;
  typed.type = error.type.empty() ? error_type(status) : error.type;
  JsonWriter json(out);
  json.begin_object();
  write_openai_error(json, typed);
  json.end_object();
}

std::string_view OpenaiCodec::stream_error_type(unsigned status) const noexcept {
  return status == 429 ? "rate_limit_error" : "server_error";
}

void OpenaiCodec::write_model(std::string_view name, std::string& out) const {
  JsonWriter(out)
      .begin_object()
      .member("id", name)
      .member("object", "model")
      .member("created", 0)
      .member("owned_by", "understudy")
      .end_object();
}

void OpenaiCodec::write_models(std::span<const std::string> names, std::string& out) const {
  JsonWriter json(out);
  json.begin_object().member("object", "list").key("data");
  write_model_array(*this, names, json);
  json.end_object();
}

}  // namespace understudy::llm::detail
