#include "documents.hpp"

#include "text/json.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {
namespace {

using json::ondemand::raw_json_string;
using json::ondemand::value;

struct Document {
  std::string name;
  std::string media_type;
  std::string data;  // base64, unless `plain`
  std::string url;
  bool plain = false;  // the data are text
};

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
  if (document.media_type.starts_with("text/") ||
      (document.data.empty() && (document.url.empty() || target == Protocol::openai_chat))) {
    return std::nullopt;
  }
  const auto type = document.media_type.empty() ? "application/pdf" : document.media_type;
  const auto name = document.name.empty() ? "document.pdf" : document.name;
  const auto data = "data:" + type + ";base64," + document.data;
  OpaquePart out(target, "", "");
  JsonWriter json(out.json);
  json.begin_object();
  switch (target) {
    case Protocol::anthropic_messages:
      out.type = "document";
      json.member("type", out.type).key("source").begin_object();
      if (document.data.empty()) {
        json.member("type", "url").member("url", document.url);
      } else {
        json.member("type", "base64").member("media_type", type).member("data", document.data);
      }
      json.end_object().member("title", name);
      break;
    case Protocol::openai_chat:
      out.type = "file";
      json.member("type", out.type).key("file").begin_object();
      json.member("filename", name).member("file_data", data).end_object();
      break;
    case Protocol::openai_responses:
      out.type = "input_file";
      json.member("type", out.type);
      if (document.data.empty()) {
        json.member("file_url", document.url);
      } else {
        json.member("filename", name).member("file_data", data);
      }
      break;
  }
  json.end_object();
  return out;
}

}  // namespace understudy::llm::detail
