/// What the strict clients have in common; see ../strict_client.hpp.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "schema.hpp"

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

  /// The body of a whole answer.
  virtual void whole(const element& json) = 0;

  Verdict verdict;
  bool ours =
      false;  ///< it was written by us: the schemas are checked too, which providers themselves often violate

 protected:
  void check(const element& json, std::span<const schema::Member> members, std::string_view what) {
    if (ours) {
      if (const auto fault = schema::fault_of(json, members, what); !fault.empty()) {
        fail(fault);
      }
    }
  }
  void check_word(std::span<const std::string_view> words, const std::string& word,
                  const std::string& what) {
    want(!ours || schema::is_one_of(words, word), what + " " + word);
  }
  /// The value at that place, which `check` has found.
  static element at(const element& json, std::string_view pointer) {
    element value;
    return json.at_pointer(pointer).get(value) == simdjson::SUCCESS ? value : json;
  }
  template <class Each>
  static void each_at(const element& json, std::string_view pointer, Each each) {
    simdjson::dom::array list;
    if (json.at_pointer(pointer).get(list) == simdjson::SUCCESS) {
      for (const element value : list) {
        each(value);
      }
    }
  }
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
