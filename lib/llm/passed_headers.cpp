#include "passed_headers.hpp"

#include <algorithm>
#include <array>

#include "text/ascii.hpp"
#include "text/glob.hpp"

namespace understudy::llm::detail {
namespace {

constexpr std::string_view turn_state = "x-codex-turn-state";
constexpr std::string_view mark = "us1.";

/// What never passes: credentials, the connection's own fields, the body's, and what the gateway answers itself.
constexpr std::array<std::string_view, 32> kept_back{
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-understudy-key",
    "chatgpt-account-id",
    "cookie",
    "set-cookie",
    "proxy-*",
    "www-authenticate",
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-*",
    "accept",
    "accept-encoding",
    "expect",
    "origin",
    "referer",
    "forwarded",
    "x-forwarded-*",
    "x-real-ip",
    "x-request-id",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "date",
};

bool matches_any(const auto& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](std::string_view pattern) { return text::matches_glob(pattern, name); });
}

/// A list within invariant 3.
class Bounded {
 public:
  void add(std::string name, std::string value) {
    size_ += name.size() + value.size();
    if (list_.size() < most_passed && size_ <= longest_passed) {
      list_.emplace_back(std::move(name), std::move(value));
    }
  }
  HeaderList take() { return std::move(list_); }

 private:
  HeaderList list_;
  std::size_t size_ = 0;
};

/// The turn state without its mark; nothing if another issuer's.
std::optional<std::string_view> own_turn_state(std::string_view value, std::string_view issuer) {
  const auto marked = std::string(mark).append(issuer).append(".");
  return value.starts_with(marked) ? std::optional(value.substr(marked.size())) : std::nullopt;
}

}  // namespace

bool same_family(Protocol client, Protocol provider) noexcept {
  const auto is_anthropics = [](Protocol p) { return p == Protocol::anthropic_messages; };
  return is_anthropics(client) == is_anthropics(provider);
}

void pass_to_provider(HttpRequest& to, const BackEnd& back_end, const HeaderList& from,
                      std::string_view issuer) {
  Bounded passed;
  for (const auto& [name, value] : from) {
    const bool passes = matches_any(back_end.request_headers, name) &&
                        !matches_any(kept_back, name) && !to.headers.find(name) &&
                        is_valid_field(name, value);
    if (passes && name == turn_state) {
      if (const auto own = own_turn_state(value, issuer)) {
        passed.add(name, std::string(*own));
      }
    } else if (passes) {
      passed.add(name, value);
    }
  }
  for (const auto& [name, value] : passed.take()) {
    to.with_header(name, value);
  }
}

HeaderList passed_to_client(const BackEnd& back_end, const HttpFields& from,
                            std::string_view issuer) {
  Bounded passed;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto [spelled, value] = from[i];
    auto name = text::in_lower_case(spelled);
    if (!matches_any(back_end.response_headers, name) || matches_any(kept_back, name)) {
      continue;
    }
    const bool marked = name == turn_state;
    passed.add(std::move(name), marked ? std::string(mark).append(issuer).append(".").append(value)
                                       : std::string(value));
  }
  return passed.take();
}

std::string_view providers_request_id(const HttpFields& headers) {
  for (const char* const name : {"request-id", "x-request-id", "apim-request-id"}) {
    const auto id = headers.find(name).value_or("");
    if (!id.empty() && id.size() <= 128 && is_valid_field(name, id)) {
      return id;
    }
  }
  return {};
}

}  // namespace understudy::llm::detail
