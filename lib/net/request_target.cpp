#include "request_target.hpp"

#include "text/ascii.hpp"

#include <algorithm>

namespace understudy::detail {
namespace {

NetError wrong(std::string text) { return {NetFault::malformed, Phase::none, std::move(text)}; }

bool same_name(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return text::lowered(a) == b; });
}

/// RFC 3986 3.2: what a host and a port are made of. No `@`: HTTP allows no user there.
bool is_authority(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return text::is_lower(text::lowered(c)) || text::is_digit(c) ||
           std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
  });
}

/// Where the authority of an absolute-form target begins, or npos.
std::size_t authority_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (same_name(target.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<NetError> settle_target(HttpHead& head) {
  std::size_t hosts = 0;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    if (const auto [name, value] = head.headers[i]; same_name(name, "host")) {
      ++hosts;
      head.authority = value;
    }
  }
  if (hosts == 0 && head.minor_version > 0) {
    return wrong("no `host` field");
  }
  if (hosts > 1) {
    return wrong("more than one `host` field");
  }
  if (const auto begin = authority_of(head.target); begin != std::string_view::npos) {
    const auto end = std::min(head.target.find_first_of("/?", begin), head.target.size());
    head.authority = head.target.substr(begin, end - begin);
    head.target.erase(0, end);
    if (!head.target.starts_with('/')) {
      head.target.insert(0, 1, '/');
    }
    if (head.authority.empty()) {
      return wrong("the request's target names no host");
    }
  }
  if (!is_authority(head.authority)) {
    return wrong("`host` is not a host and a port");
  }
  return std::nullopt;
}

}  // namespace understudy::detail
