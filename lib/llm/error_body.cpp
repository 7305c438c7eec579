#include "error_body.hpp"

#include <utility>

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

void fill(std::string_view& field, std::string_view with) {
  if (field.empty()) {
    field = with;
  }
}

/// Texts that say what is wrong, and codes, under the names that providers give them.
bool names_message(raw_json_string key) {
  return key == "message" || key == "msg" || key == "error_message" || key == "errorMessage" ||
         key == "error_msg" || key == "error_description";
}
bool names_code(raw_json_string key) {
  return key == "code" || key == "error_code" || key == "errorCode";
}

/// How deep errors are wrapped in lists and objects: FastAPI's `detail` around a whole error is the deepest known.
constexpr int deepest = 4;

bool read_wrapped(value& v, text::Arena& arena, Error& error, int depth);

/// FastAPI's. In its lists, a type is a rule of validation, such as "missing".
bool read_detail(value& v, text::Arena& arena, Error& error, int depth) {
  const bool list = v.raw_json_token().starts_with('[');
  const auto type = error.type;
  const bool whole = read_wrapped(v, arena, error, depth);
  error.type = list ? type : error.type;
  return whole;
}

/// The members of `error` itself.
bool read_inner(value& inner, text::Arena& arena, Error& error, int depth) {
  return json::members_of(inner, [&](raw_json_string key, value& v) {
    if (key == "type" || key == "error_type") {
      replace(error.type, json::text(v, arena));
    } else if (names_code(key)) {
      replace(error.code, json::scalar(v, arena));
    } else if (names_message(key)) {
      replace(error.message, json::text(v, arena));
    } else if (key == "details") {  // Anthropic's spend limit
      return json::members_of(v, [&](raw_json_string k, value& detail) {
        if (k == "error_code") {
          replace(error.code, json::text(detail, arena));
        }
        return true;
      });
    } else if (key == "detail") {
      return read_detail(v, arena, error, depth + 1);
    } else if (key == "error" || key == "errors") {
      return read_wrapped(v, arena, error, depth + 1);
    }
    return true;
  });
}

/// An error as text, as an object, or the first of a list of either: FastAPI's `detail`, Cloudflare's `errors`.
bool read_wrapped(value& v, text::Arena& arena, Error& error, int depth) {
  if (depth > deepest) {
    return true;
  }
  if (v.raw_json_token().starts_with('{')) {
    return read_inner(v, arena, error, depth);
  }
  fill(error.message, json::text(v, arena));
  bool first = true;
  return json::elements_of(v, [&](value& one) {
    return !std::exchange(first, false) || read_wrapped(one, arena, error, depth + 1);
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
  if (key == "detail") {
    return read_detail(v, arena, error, 0);
  }
  if (key == "error" || key == "errors") {
    return read_wrapped(v, arena, error, 0);
  }
  if (names_message(key)) {
    if (v.raw_json_token().starts_with('{')) {  // Mistral's 422: {"message": {"detail": [...]}}
      return json::members_of(v, [&](raw_json_string k, value& inner) {
        return k != "detail" || read_detail(inner, arena, error, 0);
      });
    }
    replace(error.message, json::text(v, arena));
  } else if (key == "type" || key == "error_type") {
    if (error.type.empty()) {  // `error` has the better one, whichever comes first
      const auto type = json::text(v, arena);
      error.type = type == "error" ? std::string_view() : type;
    }
  } else if (names_code(key)) {
    replace(error.code, json::scalar(v, arena));
  } else if (key == "base_resp") {
    return read_base_resp(v, arena, error);
  }
  return true;
}

bool says_error(const Error& error) {
  // Wrappers of iFlytek, ModelScope and others say so of every answer that is none.
  for (const std::string_view success : {"0", "200", "success", "ok"}) {
    if (error.code == success) {
      return false;
    }
  }
  return !error.message.empty() || !error.code.empty() || error.type.ends_with("error") ||
         error.type.ends_with("Error");
}

Error read_error_body(std::string_view body, text::Arena& arena) {
  Error error;
  const auto padded = json::padded_copy(body, arena);
  const auto first = body.find_first_not_of(" \t\r\n");
  const char begin = first == std::string_view::npos ? ' ' : body[first];
  if (begin == '[') {
    json::Parser parser(padded, arena);
    if (auto list = parser.array()) {
      bool only_first = true;
      json::elements(*list, [&](value& one) {
        return std::exchange(only_first, false) &&
               json::members_of(one, [&](raw_json_string key, value& v) {
                 return read_error_member(key, v, arena, error);
               });
      });
    }
  } else if (begin == '{') {
    json::Parser parser(padded, arena);
    if (const auto object = parser.object()) {
      json::members(*object, [&](raw_json_string key, value& v) {
        return read_error_member(key, v, arena, error);
      });
    }
  } else if (begin != '<') {  // an HTML page is not a message
    const auto text = first == std::string_view::npos ? body : body.substr(first);
    const auto quoted = json::inside(text);
    error.message = quoted ? json::unescaped(*quoted, arena).value_or(*quoted) : text;
  }
  error.json = body;
  return error;
}

const char* read_error_instead(std::string_view body, const char* why, EventSink& sink) {
  const auto error = read_error_body(body, sink.arena());
  if (!says_error(error)) {
    return why;
  }
  sink.take_back(0);
  sink.emit(error);
  return nullptr;
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
