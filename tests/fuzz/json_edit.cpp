// Any bytes as JSON text to be edited: valid text stays valid, and no edit reads or writes outside.
#include "text/json_edit.hpp"

#include <simdjson.h>

#include <cstdint>
#include <cstdlib>

using namespace understudy::text;

namespace {

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(simdjson::padded_string(text)).error() == simdjson::SUCCESS;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonEdits edits{
      JsonEdit::remove({"a"}),        JsonEdit::set({"b"}, "[1]"),
      JsonEdit::rename({"c"}, "d"),   JsonEdit::remove({"e", 0}),
      JsonEdit::remove({"e", 1}),     JsonEdit::set({"e", 2, "x"}, "{}"),
      JsonEdit::set({"f", "g"}, "2"), JsonEdit::remove({"f", "h"}),
      JsonEdit::remove({0}),          JsonEdit::set({1, "b"}, "3"),
  };
  const bool valid = is_json(text);
  const auto edited = edit_json(text, edits);
  if (valid && (!edited || !is_json(*edited))) {
    std::abort();
  }
  if (edit_json(text, {}) != std::string(text)) {
    std::abort();
  }
  json_at(text, {"e", 1, "x"});
  return 0;
}
