#include "error_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <new>

#include "error_words.hpp"
#include "finish_words.hpp"

namespace understudy::llm::detail {
namespace {

using simdjson::dom::element;

constexpr std::size_t json_depth = 64;     // a bomb of brackets ends here
constexpr int walk_depth = 8;              // Gemini's details[].violations[] lie at 6
constexpr int walk_values = 512;           // a response echoes whole requests; errors are small
constexpr std::size_t code_limit = 64;     // errors have a handful
constexpr int event_lines = 256;           // of SSE text: an error comes first, or soon
constexpr int nested_texts = 2;            // OpenRouter's metadata.raw, and a gateway around it
constexpr std::size_t piece_limit = 4096;  // of one sentence; half of classify_text_limit
constexpr std::size_t piece_tail =
    1024;  // template engines name the error after the whole template

bool one_of(std::string_view key, std::initializer_list<std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Keys, from protocols.md 2.4, 3.3, 4.2, 4.3, 5, 6 and 10.1: sentences.
bool names_text(std::string_view key) {
  return one_of(key, {"message", "Message", "errorMessage", "error_message", "error_msg", "error",
                      "errors", "detail", "details", "msg", "status_msg", "reason", "raw", "title",
                      "param", "error_description", "faultstring"});
}
bool names_code(std::string_view key) {
  return one_of(key, {"code", "Code", "type", "__type", "status", "reason", "error", "error_code",
                      "errorCode", "error_type", "limit_source", "blockReason"});
}
bool names_status(std::string_view key) {
  return one_of(key, {"code", "status", "status_code", "statusCode", "http_status",
                      "raw_status_code", "error_code"});
}
bool names_finish(std::string_view key) {
  return one_of(key, {"finish_reason", "finishReason", "stop_reason", "stopReason"});
}
bool names_reset(std::string_view key) {
  return one_of(key, {"retry_after", "retryDelay", "resets_in_seconds", "resets_at", "reset_at"});
}
// What echoes the request, or is an answer's content: a prompt may say anything.
bool names_content(std::string_view key) {
  return one_of(key, {"instructions", "tools", "input", "output", "messages", "content", "text",
                      "request", "flagged_input", "usage", "parameters", "loc", "ctx"});
}

class ErrorBodyReader {
 public:
  explicit ErrorBodyReader(ErrorReading& out) : out_(out) {}

  /// A sentence, JSON, or a page; SDKs put a page behind a status ("403 <!DOCTYPE html>").
  void message(std::string_view text) {
    text = trimmed(text);
    if (json(text)) {
      return;
    }
    auto markup = text.size();
    for (const std::string_view start : {"<!DOCTYPE", "<!doctype", "<html", "<HTML"}) {
      markup = std::min(markup, text.find(start));
    }
    said(text.substr(0, markup));
    if (markup < text.size()) {
      page(text.substr(markup));
    }
  }

  void body(std::string_view bytes) {
    const std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (bytes.substr(0, 3) == byte_order_mark) {
      bytes.remove_prefix(3);
    }
    bytes = trimmed(bytes);
    out_.has_body = !bytes.empty();
    if (bytes.size() <= classify_body_limit && json(bytes)) {
      return;
    }
    if (bytes.substr(0, 1) == "<") {
      page(bytes);
    } else if (!events(bytes.substr(0, classify_body_limit))) {
      said(bytes);  // a sentence, or JSON that was cut short: its words still tell
    }
  }

  void code(std::string_view text) {
    auto normal = normal_code(text.substr(0, piece_limit));
    if (!normal.empty() && out_.codes.size() < code_limit) {
      out_.codes.push_back(std::move(normal));
    }
  }

 private:
  void page(std::string_view bytes) {
    out_.markup = normal_words(bytes, classify_text_limit);
    said(without_tags(bytes.substr(0, classify_body_limit), piece_limit));
  }

  void said(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) {
      return;
    }
    std::string piece(text.substr(0, piece_limit));
    if (text.size() > piece_limit) {
      piece.resize(piece_limit - piece_tail);
      piece += ' ';
      piece += text.substr(text.size() - piece_tail);
    }
    if (out_.shown.empty()) {
      out_.shown = text.substr(0, piece_limit);
    }
    if (out_.said.size() < classify_text_limit && out_.said.find(piece) == std::string::npos) {
      out_.said += piece;
      out_.said += '\n';
    }
  }

  /// Reads JSON text of an object or array; false if it is none.
  bool json(std::string_view text) {
    if (text.empty() || (text.front() != '{' && text.front() != '[' && text.front() != '"') ||
        text.size() > classify_body_limit || nesting_ > nested_texts) {
      return false;
    }
    const simdjson::padded_string padded(text);
    simdjson::dom::parser parser;
    element root;
    const auto allocated = parser.allocate(padded.size(), json_depth);
    if (allocated == simdjson::MEMALLOC) {
      throw std::bad_alloc();  // says nothing about the text
    }
    if (allocated != simdjson::SUCCESS || parser.parse(padded).get(root) != simdjson::SUCCESS) {
      return false;
    }
    if (nesting_ > 0 && out_.nested.size() < piece_limit) {
      out_.nested += text.substr(0, piece_limit);
    }
    ++nesting_;
    walk(root, "error", "", 0);
    --nesting_;
    return true;
  }

  /// The first error, or else all the text, of SSE (protocols.md 10.4). False if it is none.
  bool events(std::string_view text) {
    bool any = false;
    for (int lines = 0; !text.empty() && lines < event_lines; ++lines) {
      const auto line = text.substr(0, text.find_first_of("\r\n"));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const auto colon = line.find(':');
      const auto field = line.substr(0, colon);
      const auto value =
          colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(colon + 1));
      if (field == "event") {
        code(value);
      } else if (field == "data") {
        message(value);
      } else if (colon == 0) {
        said(value);
      } else if (!line.empty() && field != "id" && field != "retry") {
        return any;
      }
      any = any || colon != std::string_view::npos;
    }
    return any;
  }

  void walk(const element& value, std::string_view key, std::string_view parent, int depth) {
    if (depth > walk_depth || ++values_ > walk_values) {
      return;
    }
    simdjson::dom::object object;
    simdjson::dom::array array;
    if (value.get(object) == simdjson::SUCCESS) {
      for (const auto field : object) {
        member(field.value, field.key, key, depth);
      }
    } else if (value.get(array) == simdjson::SUCCESS) {
      for (const element item : array) {
        walk(item, key, parent, depth + 1);
      }
    } else {
      leaf(value, key, parent);
    }
  }

  void member(const element& value, std::string_view key, std::string_view parent, int depth) {
    if (value.is_null()) {
      return;  // OpenRouter writes `provider_name: null` into errors of its own
    }
    if (names_reset(key)) {
      code("names_reset");
    }
    if (parent == "metadata" && one_of(key, {"provider_name", "raw"})) {
      code("names_upstream");
    }
    if (parent == "metadata" && one_of(key, {"flagged_input", "reasons"})) {
      code("flagged_input");
    }
    if (parent == "metadata" && key == "headers") {
      quoted_headers(value);
    } else if (!names_content(key)) {
      walk(value, key, parent, depth + 1);
    }
  }

  void leaf(const element& value, std::string_view key, std::string_view parent) {
    std::string_view text;
    std::int64_t number = 0;
    if (value.get(text) == simdjson::SUCCESS) {
      if (names_status(key) && leading_status(text) != 0 && text.size() == 3) {
        status(leading_status(text));
      } else if (names_finish(key)) {
        code("finish_" + std::string(text.substr(0, piece_limit)));
        if (says_failure(text)) {
          code("finish_error");
        }
      } else if (names_code(key)) {
        code(text);
      }
      if (key == "blockReason") {
        code("prompt_blocked");
      }
      if (names_text(key)) {
        message(text);
      }
    } else if (value.get(number) == simdjson::SUCCESS && names_status(key)) {
      if (parent == "base_resp") {
        code("base_resp_" + std::to_string(number));  // numbers of their own: protocols.md 5.5
      } else if (http_error(number) != 0) {
        status(http_error(number));
      } else {
        code(std::to_string(number));
      }
    }
  }

  void status(int number) { out_.status = out_.status == 0 ? number : out_.status; }

  void quoted_headers(const element& value) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
      return;
    }
    for (const auto field : object) {
      std::string_view text;
      std::int64_t number = 0;
      if (field.value.get(text) == simdjson::SUCCESS) {
        out_.headers.emplace_back(field.key, text);
      } else if (field.value.get(number) == simdjson::SUCCESS) {
        out_.headers.emplace_back(field.key, std::to_string(number));
      }
      if (++values_ > walk_values) {
        return;
      }
    }
  }

  ErrorReading& out_;
  int nesting_ = 0;
  int values_ = 0;
};

}  // namespace

ErrorReading read_error(const ProviderError& error) {
  ErrorReading reading;
  ErrorBodyReader reader(reading);
  reader.code(error.event);
  for (const auto& [name, value] : error.headers) {
    if (normal_code(name) == "xamznerrortype") {  // "ThrottlingException:..." (protocols.md 6.2)
      reader.code(value.substr(0, value.find(':')));
    }
  }
  reader.body(error.body);
  reader.message(error.message);
  if (error.transport) {
    reader.message(error.transport.message());
  }
  reading.said.resize(std::min(reading.said.size(), classify_text_limit));
  reading.words = normal_words(reading.said, classify_text_limit);
  if (const auto apart = camel_case_apart(reading.said); apart.size() != reading.said.size()) {
    reading.words += '\n' + normal_words(apart, classify_text_limit);
  }
  if (reading.status == 0) {
    reading.status = status_in(reading.words);
  }
  return reading;
}

}  // namespace understudy::llm::detail
