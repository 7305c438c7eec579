#include "understudy/llm/oauth.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>

#include "text/base64.hpp"
#include "text/json.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/runtime/local_fault.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace {

constexpr std::size_t longest_tokens = std::size_t{64} * 1024;

/// A program that writes the file in place, such as Codex, is done after this.
constexpr int rereads = 4;
constexpr Clock::duration between_rereads = std::chrono::milliseconds(250);

/// What means that the refresh token is of no use any more: RFC 6749 5.2, and OpenAI's own (protocols.md 4.3).
constexpr std::array<std::string_view, 6> final_codes{
    "invalid_grant",         "invalid_client",       "unauthorized_client",
    "refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated"};

Failure wrong(const std::string& file, const std::string& what) {
  return {FailoverReason::auth_permanent, "token file " + file + ": " + what};
}

/// The members of a JSON object that matter here; the text of `tokens` where it is an object.
struct Fields {
  std::string access_token;
  std::string refresh_token;
  std::string id_token;
  std::string account_id;
  std::string tokens;
  std::string error;
};

/// False if the text is not a JSON object.
bool read_fields(std::string_view text, Fields& fields) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(text, arena), arena);
  const auto object = parser.object();
  const bool whole = object && json::members(*object, [&](auto key, json::ondemand::value& v) {
                       if (key == "access_token") {
                         fields.access_token = json::text(v, arena);
                       } else if (key == "refresh_token") {
                         fields.refresh_token = json::text(v, arena);
                       } else if (key == "id_token") {
                         fields.id_token = json::text(v, arena);
                       } else if (key == "account_id") {
                         fields.account_id = json::text(v, arena);
                       } else if (key == "tokens") {
                         fields.tokens = json::raw(v);
                       } else if (key == "error" || key == "code") {
                         fields.error = json::raw(v);
                       }
                       return true;
                     });
  if (fields.error.starts_with(
          '{')) {  // {"error": {"code": "..."}}; a thread has one parser: so not amid it
    Fields inner;
    read_fields(fields.error, inner);
    fields.error = inner.error;
  }
  return whole;
}

/// The raw value of a member, which is empty if there is none.
std::string member_of(std::string_view text, std::string_view name) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(text, arena), arena);
  std::string found;
  if (const auto object = parser.object()) {
    json::members(*object, [&](auto key, json::ondemand::value& value) {
      if (json::name(key) == name) {
        found = json::raw(value);
      }
      return true;
    });
  }
  return found;
}

/// From an id_token of ChatGPT. Its signature is not checked: the provider checks the access token.
std::string claimed_account(std::string_view id_token) {
  const auto dot = id_token.find('.');
  if (dot == std::string_view::npos) {
    return {};
  }
  const auto claims = text::base64url_decoded(id_token.substr(dot + 1));
  return member_text(member_of(claims, "https://api.openai.com/auth"), "chatgpt_account_id")
      .value_or("");
}

/// What a token file says.
Result<Tokens> tokens_in(const std::string& file, std::string_view text) {
  Fields fields;
  if (!read_fields(text, fields)) {
    return wrong(file, "is not a JSON object");
  }
  const bool sign_in = !fields.tokens.empty();
  if (sign_in && !read_fields(fields.tokens, fields)) {
    return wrong(file, "its member `tokens` is not a JSON object");
  }
  if (fields.access_token.empty() || fields.refresh_token.empty()) {
    return wrong(file, fields.access_token.empty() ? "has no `access_token`; log in again"
                                                   : "has no `refresh_token`; log in again");
  }
  Tokens tokens{Secret(fields.access_token), Secret(fields.refresh_token)};
  if (sign_in) {
    tokens.with_account(fields.account_id.empty() ? claimed_account(fields.id_token)
                                                  : std::move(fields.account_id));
  }
  if (!is_valid_field("chatgpt-account-id", tokens.account)) {
    return wrong(file, "its account id cannot be sent in a header; log in again");
  }
  return tokens;
}

/// As Codex writes it: "2026-11-29T22:44:00Z".
std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&now, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// The file's text with other tokens; nothing if it is not a JSON object.
std::optional<std::string> with_tokens(std::string_view text, const Tokens& tokens,
                                       const std::string& id_token) {
  ExtraFields members{{"access_token", json::quoted(tokens.access.reveal())},
                      {"refresh_token", json::quoted(tokens.refresh.reveal())}};
  if (!id_token.empty()) {
    members.emplace_back("id_token", json::quoted(id_token));
  }
  Fields fields;
  read_fields(text, fields);
  if (fields.tokens.empty()) {
    return with_members(text, members);
  }
  const auto renewed = with_members(fields.tokens, members);
  return renewed
             ? with_members(text, {{"tokens", *renewed}, {"last_refresh", json::quoted(utc_now())}})
             : std::nullopt;
}

bool on_this_machine(const Endpoint& endpoint) {
  error_code none;
  const auto address = asio::ip::make_address(endpoint.host, none);
  return endpoint.host == "localhost" || (!none && address.is_loopback());
}

/// What the token endpoint gives for a refresh token.
asio::awaitable<Result<Fields>> request_tokens(const HttpClientOptions& http,
                                               const OAuthOptions& options, const Secret& token) {
  HttpRequest request("POST", options.token_url.path.empty() ? "/" : options.token_url.path);
  request.headers = options.headers;
  request.with_header("content-type", "application/json").with_header("accept", "application/json");
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("grant_type", "refresh_token");
  json.member("refresh_token", token.reveal()).member("client_id", options.client_id).end_object();
  request.with_body(std::move(body));

  // Its own, since it runs where the pool is attached just now, and once an hour.
  HttpClient client(co_await asio::this_coro::executor, http);
  IgnoreIo nobody;
  auto response = co_await client.send(options.token_url.endpoint, request, nobody);
  if (response.has_error()) {
    const auto words = "token endpoint: " + to_string(response.error());
    const auto local = local_fault_of(response.error().code);
    co_return local ? Failure(*local, words) : Failure(FailoverReason::auth, words);
  }
  const auto status = response->status();
  const auto answer = co_await response->read_all(longest_tokens);
  client.close();
  if (answer.has_error()) {
    co_return Failure(FailoverReason::auth, "token endpoint: " + to_string(answer.error()));
  }
  Fields fields;
  read_fields(*answer, fields);
  if (status == 200 && !fields.access_token.empty()) {
    co_return std::move(fields);
  }
  const bool for_good =
      status == 401 || std::any_of(final_codes.begin(), final_codes.end(), [&](std::string_view c) {
        return fields.error.find(c) != std::string::npos;
      });
  // The answer's own words stay out: they may hold a token.
  co_return Failure(
      for_good ? FailoverReason::auth_permanent : FailoverReason::auth,
      "token endpoint: status " + std::to_string(status) + (for_good ? "; log in again" : ""));
}

/// One login: its file, and the tokens in use. One call at a time.
class Login {
 public:
  Login(HttpClientOptions http, OAuthOptions options)
      : http_(std::move(http)),
        options_(std::move(options)),
        file_(options_.token_file, options_.file_fault) {}

  Result<Tokens> read() {
    const auto text = file_.read();
    if (text.has_error()) {
      return Failure(FailoverReason::auth_permanent, text.error().message());
    }
    auto tokens = tokens_in(file_.path(), *text);
    if (tokens) {
      known_ = *tokens;
    }
    return tokens;
  }

  asio::awaitable<Result<Tokens>> refresh() {
    if (const auto locked = co_await file_.lock(); !locked) {
      co_return locked.error();
    }
    const Unlock afterwards(*this);
    if (const auto finished = recover(); !finished) {
      co_return finished.error();
    }
    auto there = co_await read_when_whole();
    if (!unwritten_) {
      if (there.has_error() || !(there->access == known_->access)) {
        co_return taken(there);
      }
      known_ = *there;
    } else if (there && replaced(*there)) {
      unwritten_ = false;
      co_return taken(there);
    }
    // If the tokens are in memory alone, the file's are spent already and there is nothing left to protect.
    const auto reserved = file_.reserve(text_.size() + longest_tokens);
    if (!reserved && !unwritten_) {
      co_return Failure(FailoverReason::auth,
                        reserved.error().message() + "; the refresh token was not spent");
    }
    const auto spent = known_->refresh;
    auto renewal = co_await request_tokens(http_, options_, spent);
    if (renewal.has_error()) {
      auto refused = renewal.error();
      co_return co_await tokens_of_another(std::move(refused));
    }
    Tokens tokens{Secret(renewal->access_token), Secret(renewal->refresh_token)};
    if (tokens.refresh.empty()) {
      tokens.refresh = spent;
    }
    tokens.with_account(known_->account);
    if (tokens.access == known_->access && tokens.refresh == spent) {
      co_return tokens;
    }
    if (!unwritten_) {
      spent_ = spent;
    }
    id_token_ = std::move(renewal->id_token);
    known_ = tokens;
    unwritten_ = true;
    co_return tokens;
  }

  /// Writes the tokens of the last refresh, unless they are in the file already.
  Result<void> persist() {
    if (!unwritten_) {
      return {};
    }
    if (auto text = file_.read()) {
      const auto there = tokens_in(file_.path(), *text);
      if (there && replaced(*there)) {
        unwritten_ = false;
        file_.unlock();
        return {};
      }
      if (there) {
        text_ = std::move(*text);  // else the contents from before the refresh
      }
    }
    const auto renewed = with_tokens(text_, *known_, id_token_);
    if (!renewed) {
      return wrong(file_.path(), "is not a JSON object");
    }
    auto written = file_.write(*renewed);
    if (written) {
      unwritten_ = false;
      file_.unlock();
    }
    return written;
  }

 private:
  /// The lock stays while the file has a refresh token that was spent: another process would spend it again,
  /// for which some providers end the login.
  class Unlock {
   public:
    explicit Unlock(Login& login) : login_(login) {}
    Unlock(const Unlock&) = delete;
    Unlock& operator=(const Unlock&) = delete;
    ~Unlock() {
      if (!login_.unwritten_) {
        login_.file_.unlock();
      }
    }

   private:
    Login& login_;
  };

  /// Puts tokens in place that a process wrote before it died.
  Result<void> recover() {
    const auto left = file_.left_behind();
    const bool whole = left && tokens_in(file_.path(), *left);
    return whole ? file_.put_in_place(*left) : Result<void>();
  }

  /// While another program writes the file in place it is empty for a moment.
  asio::awaitable<Result<Tokens>> read_when_whole() {
    Result<Tokens> tokens = Failure();
    for (int i = 0; i < rereads; ++i) {
      if (i > 0) {
        co_await sleep_for(between_rereads);
      }
      auto text = file_.read();
      tokens = text ? tokens_in(file_.path(), *text) : Result<Tokens>(text.error());
      if (tokens) {
        text_ = std::move(*text);
        break;
      }
    }
    co_return tokens;
  }

  /// Whether there was a new login while our tokens were not written.
  bool replaced(const Tokens& there) const {
    return !(there.refresh == spent_) && !(there.refresh == known_->refresh);
  }

  /// Tokens of the file, for use. A failure is not permanent: the file may be whole the next time.
  Result<Tokens> taken(const Result<Tokens>& there) {
    if (there.has_error()) {
      return Failure(FailoverReason::auth, there.error().message());
    }
    known_ = *there;
    return there;
  }

  /// The endpoint refused the refresh token. If a program that does not lock has spent it before us, its new
  /// tokens are in the file soon.
  asio::awaitable<Result<Tokens>> tokens_of_another(Failure refused) {
    for (int i = 0; i < rereads && refused.code() == FailoverReason::auth_permanent; ++i) {
      const auto there = co_await read_when_whole();
      const bool fresh =
          there && (unwritten_ ? replaced(*there) : !(there->access == known_->access));
      if (fresh) {
        unwritten_ = false;
        co_return taken(there);
      }
      co_await sleep_for(between_rereads);
    }
    co_return refused;
  }

  HttpClientOptions http_;
  OAuthOptions options_;
  TokenFile file_;
  std::optional<Tokens> known_;  // in use
  std::string text_;             // the file's
  Secret spent_;                 // the file's refresh token, while ours is unwritten
  std::string id_token_;
  bool unwritten_ = false;
};

}  // namespace

Result<Credential> oauth_credential(const HttpClientOptions& http, std::string label,
                                    OAuthOptions options) {
  if (options.token_url.endpoint.scheme != Scheme::https &&
      !on_this_machine(options.token_url.endpoint)) {
    return Failure(FailoverReason::auth_permanent,
                   "token endpoint " + authority(options.token_url.endpoint) + ": must be https");
  }
  auto report = options.report;
  const auto login = std::make_shared<Login>(http, std::move(options));
  const auto tokens = login->read();
  if (tokens.has_error()) {
    return tokens.error();
  }
  auto renew = [login](const Secret& /*refresh_token*/) { return login->refresh(); };
  auto keep = [login](const Tokens& /*tokens*/) { return login->persist(); };
  return Credential(std::move(label), tokens->access)
      .with_account(tokens->account)
      .with_refresher(Refresher(tokens->refresh, std::move(renew), std::move(keep))
                          .with_report(std::move(report)));
}

}  // namespace understudy::llm
