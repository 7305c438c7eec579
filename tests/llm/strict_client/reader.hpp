/// What the strict clients have in common; see ../strict_client.hpp.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace strict_client {

using simdjson::dom::element;

struct Verdict {
  std::string complaint;  ///< the first; empty: none
  bool complete = false;  ///< the terminal of a complete answer came
  bool failed = false;
  std::int64_t created = 0;
};

namespace detail {

inline std::string text_at(const element& json, std::string_view pointer) {
  std::string_view text;
  return json.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text)
                                                                 : std::string("\1none");
}
inline bool has(const element& json, std::string_view pointer) {
  return json.at_pointer(pointer).error() == simdjson::SUCCESS;
}
inline bool null_at(const element& json, std::string_view pointer) {
  return has(json, pointer) && json.at_pointer(pointer).is_null();
}
inline std::int64_t number_at(const element& json, std::string_view pointer) {
  std::int64_t number = 0;
  return json.at_pointer(pointer).get(number) == simdjson::SUCCESS ? number : -1;
}
inline std::size_t size_at(const element& json, std::string_view pointer) {
  simdjson::dom::array list;
  return json.at_pointer(pointer).get(list) == simdjson::SUCCESS ? list.size()
                                                                 : static_cast<std::size_t>(-1);
}
inline std::string minified(const element& json) { return simdjson::minify(json); }

constexpr std::string_view no_text = "\1none";

/// What all three have in common.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual void event(const std::string& name, const element& json) = 0;
  virtual void done() { fail("[DONE]"); }

  Verdict verdict;

 protected:
  void fail(const std::string& what) {
    if (verdict.complaint.empty()) {
      verdict.complaint = what;
    }
  }
  void want(bool right, const std::string& what) {
    if (!right) {
      fail(what);
    }
  }
};

}  // namespace detail

}  // namespace strict_client
