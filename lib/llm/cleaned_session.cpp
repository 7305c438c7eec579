#include "understudy/llm/cleaned_session.hpp"

#include <utility>

#include "text/json_edit.hpp"
#include "text/parsed_json.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm {
namespace {

using simdjson::dom::element;

constexpr std::size_t deepest = 64;
constexpr std::string_view removed_text =
    R"([{"type":"text","text":"[reasoning of another model was removed]"}])";

bool is_carried_reasoning(const element& value) {
  for (const char* const member : {"signature", "encrypted_content", "data"}) {
    std::string_view seal;
    if (value[member].get(seal) == simdjson::SUCCESS && is_carrier(seal)) {
      return true;
    }
  }
  return false;
}

class Cleaning {
 public:
  text::JsonEdits edits;
  std::size_t removed = 0;
  bool all = false;  // the value is a record of reasoning alone

  void walk(const element& value) {
    if (path_.size() > deepest) {
      return;
    }
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (value.get(array) == simdjson::SUCCESS) {
      elements(array);
    } else if (value.get(object) == simdjson::SUCCESS) {
      for (const auto field : object) {
        path_.emplace_back(std::string(field.key));
        // A record of Codex: {"type": "response_item", "payload": {"type": "reasoning", ...}}.
        if (is_carried_reasoning(field.value)) {
          all = all || path_.size() == 1;
          ++removed;
          edits.push_back(text::JsonEdit::remove(path_));
        } else {
          walk(field.value);
        }
        path_.pop_back();
      }
    }
  }

 private:
  void elements(const simdjson::dom::array& array) {
    const auto before = edits.size();
    std::size_t index = 0;
    std::size_t gone = 0;
    for (const element one : array) {
      path_.emplace_back(index++);
      if (is_carried_reasoning(one)) {
        ++gone;
        edits.push_back(text::JsonEdit::remove(path_));
      } else {
        walk(one);
      }
      path_.pop_back();
    }
    removed += gone;
    const auto* const name = path_.empty() ? nullptr : path_.back().name();
    if (gone > 0 && gone == index && name != nullptr && *name == "content") {
      edits.erase(edits.begin() + static_cast<std::ptrdiff_t>(before), edits.end());
      edits.push_back(text::JsonEdit::set(path_, std::string(removed_text)));
    }
  }

  text::JsonPath path_;
};

}  // namespace

CleanedLine cleaned_session_line(std::string_view line) {
  CleanedLine cleaned;
  cleaned.text = line;
  if (line.find("\"us1.") == std::string_view::npos) {
    return cleaned;
  }
  const text::ParsedJson parsed(line);
  if (parsed.root() == nullptr) {
    return cleaned;
  }
  const auto& root = *parsed.root();
  Cleaning cleaning;
  if (is_carried_reasoning(root)) {
    cleaning.all = true;
    cleaning.removed = 1;
  } else {
    cleaning.walk(root);
  }
  cleaned.removed = cleaning.removed;
  cleaned.dropped = cleaning.all;
  if (!cleaning.edits.empty() && !cleaning.all) {
    cleaned.text = text::edit_json(line, cleaning.edits).value_or(std::string(line));
  }
  return cleaned;
}

}  // namespace understudy::llm
