#include "understudy/llm/file_parts.hpp"

#include <doctest/doctest.h>

#include <boost/system/error_code.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "understudy/failover/failure.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/translate.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::literals;

namespace file_parts_test {

/// A folder of its own, which goes with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "parts_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::filesystem::path file(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST_CASE("an image is recognized by its bytes, whatever its name") {
  const Folder folder;
  const auto type_of = [&](std::string_view bytes) {
    return image_from_file(folder.file("x.txt", bytes)).value().media_type;
  };
  CHECK(type_of("\x89PNG\r\n\x1a\n...."sv) == "image/png");
  CHECK(type_of("\xff\xd8\xff\xe0...."sv) == "image/jpeg");
  CHECK(type_of("GIF89a...."sv) == "image/gif");
  CHECK(type_of("RIFF\x10\0\0\0WEBPVP8 "sv) == "image/webp");
  // RFC 4648's own examples.
  CHECK(image_from_file(folder.file("y", "GIF89af")).value().base64 == "R0lGODlhZg==");
  CHECK(image_from_file(folder.file("z", "GIF89afo")).value().base64 == "R0lGODlhZm8=");
}

TEST_CASE("a file that is not what was asked for says so, with its name") {
  const Folder folder;
  const auto image = image_from_file(folder.file("gauge.png", "RIFF\x10\0\0\0WAVEfmt "sv));
  CHECK(image.error().code() == FailoverReason::format_error);
  CHECK(image.error().message().find("gauge.png: is not a PNG") != std::string::npos);
  const auto missing = image_from_file(folder.path() / "none.png");
  CHECK(missing.error().code() == boost::system::errc::no_such_file_or_directory);
  CHECK(missing.error().message().find("none.png") != std::string::npos);
  CHECK(image_from_file(folder.path()).has_error());
  CHECK(document_from_file(folder.file("empty", "")).error().message().find("is empty") !=
        std::string::npos);
  CHECK(document_from_file(folder.file("binary", "a\0b"sv)).has_error());
  CHECK(document_from_file(folder.file("latin1", "gr\xfc\xdf"sv)).has_error());
}

TEST_CASE("a file that is too large is refused, and not read to its end") {
  const Folder folder;
  const auto file = folder.file("large", "\x89PNG\r\n\x1a\n"sv);
  std::filesystem::resize_file(file, longest_file + 100);
  CHECK(image_from_file(file).error().message().find("larger than 32 MiB") != std::string::npos);
}

TEST_CASE("documents reach members of each protocol in their own form") {
  const Folder folder;
  Request request("m");
  Message message(Role::user, "What does it say?");
  message.parts.emplace_back(document_from_file(folder.file("manual.pdf", "%PDF-1.7 ...")).value());
  message.parts.emplace_back(document_from_file(folder.file("notes.txt", "\"full\"\n")).value());
  request.messages.push_back(std::move(message));
  struct Row {
    Protocol protocol;
    const char* pdf;
    const char* text;
  };
  const Row rows[] = {
      {Protocol::anthropic_messages,
       R"("source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjcgLi4u"})",
       R"("source":{"type":"text","media_type":"text/plain","data":"\"full\"\n"})"},
      {Protocol::openai_chat, R"("file_data":"data:application/pdf;base64,JVBERi0xLjcgLi4u")",
       R"(\"full\"\n)"},
      {Protocol::openai_responses, R"("file_data":"data:application/pdf;base64,JVBERi0xLjcgLi4u")",
       R"(\"full\"\n)"},
  };
  for (const auto& row : rows) {
    CAPTURE(to_string(row.protocol));
    const auto translated = translate(request, TranslationTarget(row.protocol, "p", "m"));
    std::string body;
    codec_for(row.protocol).write_request(translated.request, body);
    CHECK(body.find(row.pdf) != std::string::npos);
    CHECK(body.find(row.text) != std::string::npos);
    CHECK(body.find("manual.pdf") != std::string::npos);
  }
}

}  // namespace file_parts_test
