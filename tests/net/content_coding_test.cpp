#include "../../lib/net/content_coding.hpp"

#include <doctest/doctest.h>

using namespace understudy;
using namespace understudy::detail;

namespace {

struct CodingCase {
  std::vector<const char*> fields;
  std::string undone;  // in that order; "-": refused
};

const std::vector<CodingCase>& coding_cases() {
  static const std::vector<CodingCase> all{
      {{}, ""},
      {{""}, ""},
      {{"identity"}, ""},
      {{"gzip"}, "gzip"},
      {{"GZip"}, "gzip"},
      {{"x-gzip"}, "gzip"},
      {{"zstd"}, "zstd"},
      {{"br"}, "br"},
      {{"deflate"}, "deflate"},
      {{" \tgzip\t "}, "gzip"},
      {{"gzip, zstd"}, "zstd gzip"},
      {{"gzip", "zstd"}, "zstd gzip"},
      {{"gzip,,identity, ,br,"}, "br gzip"},
      {{"identity, gzip, identity"}, "gzip"},
      {{"gzip, gzip, gzip"}, "-"},
      {{"gzip, zstd", "br"}, "-"},
      {{"compress"}, "-"},
      {{"gzip;q=1"}, "-"},
      {{"gzip zstd"}, "-"},
      {{"identity", "lz4"}, "-"},
      {{"brotli"}, "-"},
      {{"aws-chunked"}, "-"},
  };
  return all;
}

}  // namespace

TEST_CASE("what is to be undone, from the end of the list") {
  for (const auto& one : coding_cases()) {
    HttpFields headers;
    headers.add("content-type", "application/json");
    std::string sent;
    for (const auto* field : one.fields) {
      headers.add("Content-Encoding", field);
      sent += field + std::string("|");
    }
    CAPTURE(sent);
    const auto codings = content_codings(headers);
    std::string undone = codings ? "" : "-";
    for (const auto coding : codings.value_or(std::vector<ContentCoding>())) {
      undone.append(undone.empty() ? "" : " ").append(to_string(coding));
    }
    CHECK(undone == one.undone);
  }
}

TEST_CASE("every coding that is accepted is named, and nothing else") {
  HttpFields headers;
  headers.add("content-encoding", "zstd, br");
  CHECK(content_codings(headers)->size() == 2);
  std::string_view rest = accepted_codings;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(", "), rest.size());
    HttpFields one;
    one.add("content-encoding", rest.substr(0, comma));
    CHECK(content_codings(one));
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
}

TEST_CASE("the list for a message is short, however long it was") {
  HttpFields headers;
  headers.add("content-encoding", "gzip,lz4");
  headers.add("content-encoding", std::string(10'000, 'x'));
  CHECK(content_encoding(headers).starts_with("gzip, lz4, xxx"));
  CHECK(content_encoding(headers).size() == 64);
}
