#include "error_body.hpp"

namespace understudy::llm::detail {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

/// A part of `text` moved into `scratch`, whose capacity must suffice: earlier views stay valid.
std::string_view moved(std::string_view text, std::string& scratch) {
  const auto at = scratch.size();
  scratch += text;
  return std::string_view(scratch).substr(at);
}

void replace(std::string_view& field, std::string_view with) {
  if (!with.empty()) {
    field = with;
  }
}

/// The members of `error` itself.
bool read_inner(value& inner, text::Arena& arena, Error& error) {
  return json::members_of(inner, [&](raw_json_string key, value& v) {
    if (key == "type") {
      replace(error.type, json::text(v, arena));
    } else if (key == "code") {
      replace(error.code, json::scalar(v, arena));
    } else if (key == "message") {
      replace(error.message, json::text(v, arena));
    } else if (key == "details") {  // Anthropic's spend limit
      return json::members_of(v, [&](raw_json_string k, value& detail) {
        if (k == "error_code") {
          replace(error.code, json::text(detail, arena));
        }
        return true;
      });
    }
    return true;
  });
}

/// pydantic's `detail`: text, or a list of objects with `msg`.
bool read_detail(value& detail, text::Arena& arena, Error& error) {
  replace(error.message, json::text(detail, arena));
  return json::elements_of(detail, [&](value& one) {
    return json::members_of(one, [&](raw_json_string key, value& v) {
      if (key == "msg") {
        replace(error.message, json::text(v, arena));
      }
      return true;
    });
  });
}

bool read_base_resp(value& base, text::Arena& arena, Error& error) {
  Error said;
  const bool whole = json::members_of(base, [&](raw_json_string key, value& v) {
    if (key == "status_code") {
      said.code = json::scalar(v, arena);
    } else if (key == "status_msg") {
      said.message = json::text(v, arena);
    }
    return true;
  });
  if (!said.code.empty() && said.code != "0") {
    error.type = "base_resp";
    error.code = said.code;
    error.message = said.message;
  }
  return whole;
}

}  // namespace

bool read_error_member(raw_json_string key, value& v, text::Arena& arena, Error& error) {
  if (key == "error") {
    replace(error.message, json::text(v, arena));
    return read_inner(v, arena, error);
  }
  if (key == "message") {
    replace(error.message, json::text(v, arena));
  } else if (key == "type") {
    if (error.type.empty()) {  // `error` has the better one, whichever comes first
      const auto type = json::text(v, arena);
      error.type = type == "error" ? std::string_view() : type;
    }
  } else if (key == "code") {
    replace(error.code, json::scalar(v, arena));
  } else if (key == "detail") {
    return read_detail(v, arena, error);
  } else if (key == "base_resp") {
    return read_base_resp(v, arena, error);
  }
  return true;
}

Error read_error_body(std::string_view body, text::Arena& arena) {
  Error error;
  json::Parser parser(json::padded_copy(body, arena), arena);
  if (const auto object = parser.object()) {
    json::members(*object, [&](raw_json_string key, value& v) {
      return read_error_member(key, v, arena, error);
    });
  }
  error.json = body;
  return error;
}

Error read_error_body(std::string_view body, std::string& scratch) {
  text::Arena arena;
  Error error = read_error_body(body, arena);
  scratch.clear();
  scratch.reserve(error.type.size() + error.code.size() + error.message.size());
  error.type = moved(error.type, scratch);
  error.code = moved(error.code, scratch);
  error.message = moved(error.message, scratch);
  return error;
}

}  // namespace understudy::llm::detail
