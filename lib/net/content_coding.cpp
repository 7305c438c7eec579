#include "net/content_coding.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>

namespace understudy::detail {
namespace {

class CodingName {
 public:
  std::string_view name;
  ContentCoding coding;
};

/// A coding's own name is its first.
constexpr std::array coding_names{
    CodingName{"zstd", ContentCoding::zstd},       CodingName{"br", ContentCoding::brotli},
    CodingName{"gzip", ContentCoding::gzip},       CodingName{"x-gzip", ContentCoding::gzip},
    CodingName{"deflate", ContentCoding::deflate},
};

constexpr std::size_t longest_shown = 64;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const auto begin = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// Calls `each` with every name in the fields until it returns false. Returns whether it never did.
template <class Each>
bool each_name(const HttpFields& headers, Each each) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    auto [field, value] = headers[i];
    while (boost::beast::iequals(field, "content-encoding") && !value.empty()) {
      const auto comma = std::min(value.find(','), value.size());
      const auto name = trimmed(value.substr(0, comma));
      value.remove_prefix(std::min(comma + 1, value.size()));
      if (!name.empty() && !each(name)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

std::string_view to_string(ContentCoding coding) noexcept {
  const auto* const found =
      std::find_if(coding_names.begin(), coding_names.end(),
                   [&](const CodingName& known) { return known.coding == coding; });
  return found->name;
}

std::optional<std::vector<ContentCoding>> content_codings(const HttpFields& headers) {
  std::vector<ContentCoding> codings;
  const bool all_known = each_name(headers, [&](std::string_view name) {
    if (boost::beast::iequals(name, "identity")) {
      return true;
    }
    const auto* const found = std::find_if(
        coding_names.begin(), coding_names.end(),
        [&](const CodingName& known) { return boost::beast::iequals(known.name, name); });
    if (found == coding_names.end() || codings.size() == most_codings) {
      return false;
    }
    codings.push_back(found->coding);
    return true;
  });
  if (!all_known) {
    return std::nullopt;
  }
  std::reverse(codings.begin(), codings.end());
  return codings;
}

std::string content_encoding(const HttpFields& headers) {
  std::string list;
  each_name(headers, [&](std::string_view name) {
    list.append(list.empty() ? "" : ", ").append(name.substr(0, longest_shown));
    return list.size() < longest_shown;
  });
  return list.substr(0, longest_shown);
}

}  // namespace understudy::detail
