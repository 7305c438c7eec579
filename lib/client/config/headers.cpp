#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>

#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

bool is_allowed_header(const Section& section, const TomlNode::Entry& entry,
                       const HttpFields& before) {
  constexpr std::array<std::string_view, 5> credentials{"authorization", "x-api-key", "api-key",
                                                        "x-goog-api-key", "proxy-authorization"};
  constexpr std::array<std::string_view, 6> own{
      "host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"};
  const auto in = [&](const auto& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](auto name) { return boost::beast::iequals(entry.key, name); });
  };
  const auto name = ticked(entry.key);
  auto& findings = section.findings();
  if (!is_valid_field(entry.key, "")) {
    findings.add(entry.place, name + " is not the name of a header",
                 "write letters, digits and dashes");
  } else if (in(credentials)) {
    findings.add(entry.place, "the header " + name + " carries a credential",
                 "write credentials = [{env = \"EXAMPLE_API_KEY\"}]");
  } else if (in(own)) {
    findings.add(entry.place, "the header " + name + " is written by the program itself",
                 "remove it");
  } else if (before.find(entry.key)) {
    findings.add(entry.place, "the header " + name + " is specified twice", "write it once");
  } else {
    return true;
  }
  return false;
}

}  // namespace

void read_headers(const Section& section, HttpFields& headers) {
  const auto* const entries = section.entries("headers");
  if (entries == nullptr) {
    return;
  }
  for (const auto& entry : *entries) {
    const bool named = is_allowed_header(section, entry, headers);
    const auto value = text_of(section.findings(), entry.node, entry.key,
                               "write a string, such as headers = {x-team = \"blue\"}");
    if (named && value) {
      headers.add(entry.key, *value);
    }
  }
}

}  // namespace understudy::config
