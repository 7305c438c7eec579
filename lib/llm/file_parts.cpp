#include "understudy/llm/file_parts.hpp"

#include <openssl/evp.h>
#include <simdjson.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace {

Failure wrong_file(const std::filesystem::path& file, std::string_view what) {
  return Failure(FailoverReason::format_error, file.string() + ": " + std::string(what));
}

Result<std::string> bytes_of(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string bytes;
  // A folder opens, and cannot be read.
  if (in && in.peek() != std::ifstream::traits_type::eof()) {
    bytes.resize(longest_file + 1);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (bytes.empty() && errno != 0) {
    const error_code code(errno, boost::system::system_category());
    return Failure(code, file.string() + ": " + code.message());
  }
  if (bytes.size() > longest_file) {
    return wrong_file(file, "is larger than 32 MiB");
  }
  return bytes;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

/// Empty: it is none that models accept.
std::string_view image_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    return "image/png";
  }
  if (bytes.starts_with("\xff\xd8\xff")) {
    return "image/jpeg";
  }
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) {
    return "image/gif";
  }
  return bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP") ? "image/webp"
                                                                            : std::string_view();
}

}  // namespace

Result<ImagePart> image_from_file(const std::filesystem::path& file) {
  const auto bytes = bytes_of(file);
  if (bytes.has_error()) {
    return bytes.error();
  }
  ImagePart image;
  image.media_type = image_type(*bytes);
  if (image.media_type.empty()) {
    return wrong_file(file, "is not a PNG, JPEG, GIF or WebP image");
  }
  image.base64 = base64(*bytes);
  return image;
}

Result<OpaquePart> document_from_file(const std::filesystem::path& file) {
  const auto bytes = bytes_of(file);
  if (bytes.has_error()) {
    return bytes.error();
  }
  const bool pdf = bytes->starts_with("%PDF-");
  const bool text = !pdf && !bytes->empty() && bytes->find('\0') == std::string::npos &&
                    simdjson::validate_utf8(*bytes);
  if (!pdf && !text) {
    return wrong_file(file, bytes->empty() ? "is empty" : "is neither a PDF nor text in UTF-8");
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("type", "document").key("source").begin_object();
  json.member("type", pdf ? "base64" : "text")
      .member("media_type", pdf ? "application/pdf" : "text/plain")
      .member("data", pdf ? base64(*bytes) : *bytes)
      .end_object()
      .member("title", file.filename().string())
      .end_object();
  return OpaquePart(Protocol::anthropic_messages, "document", std::move(out));
}

}  // namespace understudy::llm
