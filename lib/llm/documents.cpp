#include "documents.hpp"

#include "text/json.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::llm::detail {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

/// Reads all three forms: their members' names do not collide.
class Reader {
 public:
  explicit Reader(Document& document) : document_(document) {}

  bool read(std::string_view text) {
    json::Parser parser(json::padded_copy(text, arena_), arena_);
    const auto object = parser.object();
    return object &&
           json::members(*object, [&](raw_json_string key, value& v) { return member(key, v); });
  }

 private:
  bool member(raw_json_string key, value& v) {
    if (key == "source" || key == "file") {  // Anthropic's, Chat's
      return json::members_of(v, [&](raw_json_string k, value& m) { return leaf(k, m); });
    }
    return leaf(key, v);
  }

  bool leaf(raw_json_string key, value& v) {
    if (key == "title" || key == "filename") {
      document_.name = json::text(v, arena_);
    } else if (key == "type") {  // the part's, or its source's
      document_.plain = document_.plain || json::text(v, arena_) == "text";
    } else if (key == "media_type") {
      document_.media_type = json::text(v, arena_);
    } else if (key == "data") {
      document_.data = json::text(v, arena_);
    } else if (key == "url" || key == "file_url") {
      document_.url = json::text(v, arena_);
    } else if (key == "file_data") {
      const auto text = json::text(v, arena_);
      const auto comma = text.find(";base64,");
      if (text.starts_with("data:") && comma != std::string_view::npos) {
        document_.media_type = text.substr(5, comma - 5);
        document_.data = text.substr(comma + 8);
      }
    }
    return true;
  }

  Document& document_;
  text::Arena arena_;
};

}  // namespace

std::optional<ToolResultPart::Content> translated_document(const OpaquePart& part,
                                                           Protocol target) {
  Document document;
  const bool is_one = part.type == "document" || part.type == "file" || part.type == "input_file";
  if (!is_one || !Reader(document).read(part.json)) {
    return std::nullopt;
  }
  if (document.plain && !document.data.empty()) {
    return TextPart(document.name.empty() ? document.data : document.name + "\n\n" + document.data);
  }
  if (document.media_type.starts_with("text/") || (document.data.empty() && document.url.empty())) {
    return std::nullopt;
  }
  if (document.media_type.empty()) {
    document.media_type = "application/pdf";
  }
  if (document.name.empty()) {
    document.name = "document.pdf";
  }
  return codec_for(target).write_document(document);
}

}  // namespace understudy::llm::detail
