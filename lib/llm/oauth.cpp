#include "understudy/llm/oauth.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "json.hpp"
#include "understudy/json_writer.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy {
namespace {

constexpr std::size_t longest_file = std::size_t{1024} * 1024;
constexpr std::size_t longest_tokens = std::size_t{64} * 1024;

/// What means that the refresh token is of no use any more: RFC 6749 5.2, and OpenAI's own (wire.md 4.3).
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
  std::string tokens;
  std::string error;
};

/// False if the text is no JSON object.
bool read_fields(std::string_view text, Fields& fields) {
  detail::Arena arena;
  json::Parser parser(json::padded_copy(text, arena), arena);
  const auto object = parser.object();
  const bool whole = object && json::members(*object, [&](auto key, json::ondemand::value& v) {
                       if (key == "access_token") {
                         fields.access_token = json::text(v, arena);
                       } else if (key == "refresh_token") {
                         fields.refresh_token = json::text(v, arena);
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

Result<std::string> contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return wrong(file, "cannot be read");
  }
  std::string text;
  text.resize(longest_file + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > longest_file) {
    return wrong(file, "is larger than 1 MiB");
  }
  return text;
}

Result<Tokens> read_tokens(const std::string& file) {
  const auto text = contents(file);
  if (text.has_error()) {
    return text.error();
  }
  Fields fields;
  if (!read_fields(*text, fields)) {
    return wrong(file, "is no JSON object");
  }
  if (!fields.tokens.empty() && !read_fields(fields.tokens, fields)) {
    return wrong(file, "its member `tokens` is no JSON object");
  }
  if (fields.access_token.empty() || fields.refresh_token.empty()) {
    return wrong(file, fields.access_token.empty() ? "has no `access_token`; log in anew"
                                                   : "has no `refresh_token`; log in anew");
  }
  return Tokens(Secret(fields.access_token), Secret(fields.refresh_token));
}

std::string secret_json(const Secret& secret) {
  std::string out;
  JsonWriter(out).value(secret.reveal());
  return out;
}

/// Beside the file, and then in its place: a reader sees the old or the new, whenever we may die.
Result<void> replace(const std::string& file, std::string_view text) {
  const auto beside = file + ".new";
  ::unlink(beside.c_str());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    return wrong(file, "cannot be written: " +
                           error_code(errno, boost::system::system_category()).message());
  }
  bool written = true;
  while (written && !text.empty()) {
    const auto size = ::write(fd, text.data(), text.size());
    written = size > 0 || errno == EINTR;
    text.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
  }
  written = ::fsync(fd) == 0 && written;
  written = ::close(fd) == 0 && written;
  if (!written || ::rename(beside.c_str(), file.c_str()) != 0) {
    const error_code why(errno, boost::system::system_category());
    ::unlink(beside.c_str());
    return wrong(file, "cannot be written: " + why.message());
  }
  return {};
}

Result<void> persist(const std::string& file, const Tokens& tokens) {
  const auto text = contents(file);
  if (text.has_error()) {
    return text.error();
  }
  ExtraFields members{{"access_token", secret_json(tokens.access)}};
  if (!tokens.refresh.empty()) {
    members.emplace_back("refresh_token", secret_json(tokens.refresh));
  }
  Fields fields;
  read_fields(*text, fields);
  auto renewed = with_members(fields.tokens.empty() ? *text : fields.tokens, members);
  if (renewed && !fields.tokens.empty()) {
    renewed = with_members(*text, {{"tokens", *renewed}});
  }
  return renewed ? replace(file, *renewed) : Result<void>(wrong(file, "is no JSON object"));
}

bool on_this_machine(const Endpoint& endpoint) {
  error_code none;
  const auto address = asio::ip::make_address(endpoint.host, none);
  return endpoint.host == "localhost" || (!none && address.is_loopback());
}

asio::awaitable<Result<Tokens>> refresh(const HttpClientOptions& http, const OAuthOptions& options,
                                        Secret token) {
  const auto there = read_tokens(options.token_file);
  if (there && !(there->refresh == token)) {
    co_return there;
  }
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
    co_return Failure(FailoverReason::auth, "token endpoint: " + to_string(response.error()));
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
    co_return Tokens(Secret(fields.access_token), Secret(fields.refresh_token));
  }
  const bool for_good =
      status == 401 || std::any_of(final_codes.begin(), final_codes.end(), [&](std::string_view c) {
        return fields.error.find(c) != std::string::npos;
      });
  // The answer's own words stay out: they may hold a token.
  co_return Failure(for_good ? FailoverReason::auth_permanent : FailoverReason::auth,
                    "token endpoint: status " + std::to_string(status) +
                        (for_good ? "; a new login is needed" : ""));
}

}  // namespace

Result<Credential> oauth_credential(const HttpClientOptions& http, std::string label,
                                    OAuthOptions options) {
  if (options.token_url.endpoint.scheme != Scheme::https &&
      !on_this_machine(options.token_url.endpoint)) {
    return Failure(FailoverReason::auth_permanent,
                   "token endpoint " + authority(options.token_url.endpoint) + ": must be https");
  }
  const auto tokens = read_tokens(options.token_file);
  if (tokens.has_error()) {
    return tokens.error();
  }
  const auto shared = std::make_shared<const OAuthOptions>(std::move(options));
  auto renew = [http, shared](const Secret& token) { return refresh(http, *shared, token); };
  auto keep = [shared](const Tokens& renewed) { return persist(shared->token_file, renewed); };
  return Credential(std::move(label), tokens->access)
      .with_refresher(Refresher(tokens->refresh, std::move(renew), std::move(keep)));
}

}  // namespace understudy
