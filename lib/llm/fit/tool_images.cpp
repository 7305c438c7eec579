#include "llm/fit/tool_images.hpp"

#include <vector>

#include "llm/fit/fitting.hpp"

namespace understudy::llm::detail {
namespace {

/// What stays in a result that has nothing but images: an empty list of parts would be refused.
constexpr std::string_view image_follows = "[the image is in the next message]";

bool is_image(const dom::element& part) { return text_of(member_of(part, "type")) == "image_url"; }

/// The tool messages that follow each other.
class Run {
 public:
  explicit Run(text::JsonEdits& edits) : edits_(edits) {}

  void add(std::size_t index, const dom::element& message) {
    last_ = index;
    text::JsonEdits own;
    std::size_t parts = 0;
    std::size_t images = 0;
    each_element(member_of(message, "content"), [&](std::size_t at, const dom::element& part) {
      ++parts;
      if (is_image(part)) {
        ++images;
        own.push_back(text::JsonEdit::remove({"content", at}));
        images_.append(images_.empty() ? "" : ",").append(simdjson::to_string(part));
      }
    });
    if (images > 0 && images == parts) {
      own.push_back(text::JsonEdit::append(
          {"content"}, R"({"type":"text","text":)" + json::quoted(image_follows) + "}"));
    }
    settle_last();
    const auto whole = simdjson::to_string(message);
    last_text_ = images == 0 ? whole : text::edit_json(whole, own).value_or(whole);
    changed_ = images > 0;
  }

  void end() {
    if (!images_.empty()) {
      last_text_ += R"(,{"role":"user","content":[)" + images_ + "]}";
      edits_.push_back(text::JsonEdit::set({"messages", last_}, last_text_));
      found_ = true;
    }
    images_.clear();
    changed_ = false;
    last_text_.clear();
  }

  bool found() const noexcept { return found_; }

 private:
  /// Another message of the run follows the last one.
  void settle_last() {
    if (changed_) {
      edits_.push_back(text::JsonEdit::set({"messages", settled_}, last_text_));
    }
    settled_ = last_;
  }

  text::JsonEdits& edits_;
  std::size_t last_ = 0;
  std::size_t settled_ = 0;
  std::string last_text_;  // the last message without its images
  std::string images_;
  bool changed_ = false;
  bool found_ = false;
};

}  // namespace

std::optional<std::string> with_images_after_results(std::string_view body) {
  if (body.find("\"image_url\"") == std::string_view::npos) {
    return std::nullopt;
  }
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return std::nullopt;
  }
  text::JsonEdits edits;
  Run run(edits);
  each_element(member_of(root, "messages"), [&](std::size_t index, const dom::element& message) {
    if (text_of(member_of(message, "role")) == "tool") {
      run.add(index, message);
    } else {
      run.end();
    }
  });
  run.end();
  return run.found() ? text::edit_json(body, edits) : std::nullopt;
}

}  // namespace understudy::llm::detail
