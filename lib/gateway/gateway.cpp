#include "gateway.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <new>
#include <random>

#include "error_answer.hpp"
#include "listings.hpp"
#include "refused_request.hpp"
#include "streamed_answer.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::gateway::detail {
namespace {

class GatewayCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "understudy.gateway"; }
  std::string message(int code) const override {
    return code == static_cast<int>(GatewayStop::client_gone) ? "client_gone" : "unknown";
  }
  boost::system::error_condition default_error_condition(int) const noexcept override {
    return boost::system::errc::make_error_condition(boost::system::errc::operation_canceled);
  }
};

/// Request::betas, as the client has named them.
std::string betas_of(const HttpHead& head) {
  std::string betas;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    if (const auto [name, value] = head.headers[i]; has_token(name, "anthropic-beta")) {
      betas.append(betas.empty() ? "" : ",").append(value);
    }
  }
  return betas;
}

/// RFC 9110 11.1: a scheme's name is in any case, and spaces follow it. Empty: another scheme.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) {
    return "";
  }
  authorization.remove_prefix(scheme.size());
  return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

HttpFields content(std::string_view type) {
  HttpFields fields;
  fields.add("content-type", type);
  return fields;
}

asio::awaitable<void> send(ClientExchange& client, const ErrorAnswer& answer) {
  co_await client.respond(answer.status, answer.headers, answer.body);
}

/// What a member has answered, or that nobody could.
asio::awaitable<void> send(ClientExchange& client, const Result<std::string>& answer,
                           const CallReport& report) {
  if (answer) {
    auto fields = content("application/json");
    add_report(fields, report);
    co_await client.respond(200, fields, *answer);
    co_return;
  }
  auto failed = error_answer(answer.error(), client.protocol());
  add_report(failed.headers, report);
  co_await send(client, failed);
}

/// What a call tells on its way: to the metrics, and at its end to the record.
class Told final : public Observer {
 public:
  Told(tool::Metrics& metrics, CallRecord& record) : metrics_(metrics), record_(record) {}

  void attempt_ended(const AttemptReport& attempt) override { metrics_.attempt_ended(attempt); }
  void answer_broke(const AttemptReport& attempt) override { metrics_.answer_broke(attempt); }
  void call_ended(const CallReport& report) override { record_.report = report; }

 private:
  tool::Metrics& metrics_;
  CallRecord& record_;
};

}  // namespace

const boost::system::error_category& gateway_category() noexcept {
  static const GatewayCategory category;
  return category;
}

HttpServerOptions server_options(const ServerConfig& config) {
  HttpServerOptions options;
  options.with_max_body(config.max_body)
      .with_max_connections(config.max_connections)
      .with_idle(config.idle)
      .with_refusal([](unsigned status, std::string_view what, HttpFields& headers) {
        auto refused = refusal(status, what, llm::Protocol::openai_chat);
        headers = std::move(refused.headers);
        return std::move(refused.body);
      });
  return options;
}

Gateway::Gateway(const Config& config, Client& client, ClientState& state, Records& records)
    : config_(config),
      client_(client),
      state_(state),
      records_(records),
      guard_(config.server),
      first_id_(std::uint64_t{std::random_device()()} << 32U) {}

void Gateway::stop() {
  for (auto* const call : under_way_) {
    call->cancel(StopReason::shutdown);
  }
}

bool Gateway::allowed(const HttpHead& head) const {
  if (config_.server.keys.empty()) {
    return true;
  }
  const Secret bearer(bearer_token(head.headers.find("authorization").value_or("")));
  const Secret plain(head.headers.find("x-api-key").value_or(""));
  bool found = false;
  for (const auto& key : config_.server.keys) {  // all of them: the time must not tell which
    const bool by_bearer = key == bearer;
    const bool by_plain = key == plain;
    found = found || by_bearer || by_plain;
  }
  return found;
}

std::string Gateway::next_id() {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "req_%016llx",
                static_cast<unsigned long long>(first_id_ + ++ids_));
  return text.data();
}

asio::awaitable<void> Gateway::answer(HttpExchange& http) {
  using Kind = Resource::Kind;
  const auto resource = resource_at(http.request());
  ClientExchange client(http, resource.protocol, next_id());
  if (resource.kind == Kind::health) {
    const bool well = resource.path == "/healthz" || !draining_;
    const std::string_view body = well ? "ok\n" : "draining\n";
    const auto status = well ? 200U : 503U;
    co_await client.respond(status, content("text/plain; charset=utf-8"), body);
    co_return;
  }
  const auto& head = client.request();
  const auto reader = guard_.reader(head);
  if (reader) {
    client.readable_by(*reader);
  }
  if (reader && head.method == "OPTIONS" && head.headers.find("access-control-request-method")) {
    co_await client.respond(200, preflight_answer(head), "");
  } else if (const auto answer = refused(client, resource)) {
    co_await send(client, *answer);
  } else if (resource.kind == Kind::listing) {
    co_await get(client, resource.path);
  } else {
    bool lacking = false;
    try {
      co_await post(client, resource);
    } catch (const std::bad_alloc&) {
      lacking = true;
    }
    if (lacking && http.begun()) {
      http.abort();
    } else if (lacking) {
      const auto refused = error_answer(LocalFault::memory, client.protocol());
      co_await send(client, refused);
    }
  }
}

/// What is wrong with a request by its head alone.
std::optional<ErrorAnswer> Gateway::refused(const ClientExchange& client,
                                            const Resource& resource) const {
  using Kind = Resource::Kind;
  const auto& head = client.request();
  const auto protocol = client.protocol();
  if (auto page = guard_.refused(head, protocol)) {
    return page;
  }
  if (!allowed(head)) {
    return refusal(401, "invalid API key; the keys of this gateway are set by `server.keys`",
                   protocol, "invalid_api_key");
  }
  if (resource.kind == Kind::nothing) {
    return refusal(404, "there is nothing at " + std::string(resource.path), protocol);
  }
  const bool question = resource.kind == Kind::question;
  if (question && has_token(head.headers.find("upgrade").value_or(""), "websocket")) {
    // Told so, Codex uses HTTP at once and from then on; after a 405 it tries six times more (protocols.md 4.3).
    auto plain = refusal(426, "no WebSocket here; use HTTP with `\"stream\": true`", protocol);
    plain.headers.add("upgrade", "HTTP/1.1");
    plain.headers.add("connection", "upgrade");
    return plain;
  }
  const std::string_view method = resource.kind == Kind::listing ? "GET" : "POST";
  if (head.method != method) {
    auto other = refusal(405, "use " + std::string(method), protocol);
    other.headers.add("allow", method);
    return other;
  }
  const auto encoding = head.headers.find("content-encoding").value_or("identity");
  if (!encoding.empty() && !boost::beast::iequals(encoding, "identity")) {
    auto plain = refusal(415,
                         "the body is compressed (`content-encoding: " +
                             std::string(encoding.substr(0, 64)) + "`); send it uncompressed",
                         protocol, "unsupported_content_encoding");
    plain.headers.add("accept-encoding", "identity");
    return plain;
  }
  return std::nullopt;
}

asio::awaitable<void> Gateway::get(ClientExchange& client, std::string_view path) {
  std::optional<std::string> body;
  std::string_view type = "application/json";
  if (path == "/status") {
    body = status(config_, state_, records_, draining_);
  } else if (path == "/metrics") {
    body = records_.metrics_text(state_);
    type = "text/plain; version=0.0.4; charset=utf-8";
  } else if (path == "/v1/models") {
    body = models_list(config_, client.protocol());
  } else {
    body = model_entry(config_, client.protocol(), path.substr(one_model.size()));
  }
  if (body) {
    co_await client.respond(200, content(type), *body);
    co_return;
  }
  const bool model = path.starts_with(one_model);
  const auto what = model ? "no model " + std::string(path.substr(one_model.size()))
                          : std::string("built without prometheus-cpp");
  const auto refused = refusal(404, what, client.protocol(), model ? "model_not_found" : "");
  co_await send(client, refused);
}

asio::awaitable<void> Gateway::post(ClientExchange& client, const Resource& resource) {
  auto body = co_await client.http().read_all();
  if (body.has_value()) {
    if (resource.kind == Resource::Kind::passed) {
      co_await pass(client, resource, std::move(*body));
    } else {
      co_await ask(client, resource.path, std::move(*body));
    }
  } else if (body.error().code == NetFault::body_too_large) {
    const auto refused =
        refusal(413, "the body is larger than `server.max_body`", client.protocol());
    co_await send(client, refused);
  } else if (body.error().code.category() == net_category() &&
             body.error().code != NetFault::truncated) {
    const auto refused = refusal(400, to_string(body.error()), client.protocol());
    co_await send(client, refused);
  } else {
    client.http().abort();
  }
}

asio::awaitable<void> Gateway::ask(ClientExchange& client, std::string_view path,
                                   std::string body) {
  auto request = llm::codec_for(client.protocol()).read_request(body);
  if (request.has_error()) {
    const auto& fault = request.error();
    const auto where = fault.parameter.empty() ? "" : "`" + fault.parameter + "`: ";
    const auto refused = refusal(400, where + fault.message, client.protocol());
    co_await send(client, refused);
    co_return;
  }
  if (const auto refused = refused_request(config_, *request)) {
    co_await send(client, *refused);
    co_return;
  }
  request->betas = betas_of(client.request());
  CallRecord record(client.id(), std::string(path), client.protocol());
  record.model = request->model;
  record.streamed = request->stream;
  if (records_.wants_prompts()) {
    record.prompt = std::move(body);
  }
  body = std::string();
  Call call = [&](Scope& scope, RequestOptions& options, CallRecord& of) -> asio::awaitable<void> {
    if (of.streamed) {
      StreamedAnswer streamed(client, config_.server);
      co_await streamed.run(client_, scope, options, std::move(*request));
      of.broke = streamed.broke();
      of.longest_gap = streamed.longest_gap();
    } else {
      co_await whole(client, options, std::move(*request));
    }
  };
  co_await run(client, std::move(record), std::move(call));
}

asio::awaitable<void> Gateway::whole(ClientExchange& client, const RequestOptions& options,
                                     llm::Request request) {
  const auto outcome = co_await client_.complete(std::move(request), options);
  Result<std::string> body = std::string();
  if (outcome.result) {
    llm::codec_for(client.protocol()).write_answer(*outcome.result, *body);
  } else {
    body = outcome.result.error();
  }
  co_await send(client, body, outcome.report);
}

asio::awaitable<void> Gateway::pass(ClientExchange& client, const Resource& what,
                                    std::string body) {
  auto model = llm::member_text(body, "model");
  if (!model) {
    const auto refused =
        refusal(400, "the body must be a JSON object with a `model`", client.protocol());
    co_await send(client, refused);
    co_return;
  }
  CallRecord record(client.id(), std::string(what.path), client.protocol());
  record.model = std::move(*model);
  if (records_.wants_prompts()) {
    record.prompt = body;
  }
  llm::PassedRequest request(std::string(what.path.substr(3)), std::move(body));
  request.with_own_model(what.own_model).with_betas(betas_of(client.request()));
  Call call = [&](Scope&, RequestOptions& options, CallRecord&) -> asio::awaitable<void> {
    const auto outcome = co_await client_.pass(std::move(request), what.members, options);
    const bool nobody = outcome.report.attempts.empty() && outcome.report.skipped.empty();
    if (nobody) {
      const auto refused =
          refusal(404,
                  "no member of the chain for this model speaks a protocol that has " +
                      std::string(what.path),
                  client.protocol());
      co_await send(client, refused);
    } else {
      co_await send(client, outcome.result, outcome.report);
    }
  };
  co_await run(client, std::move(record), std::move(call));
}

/// While the client is there, and until we are stopped.
asio::awaitable<void> Gateway::run(ClientExchange& client, CallRecord record, Call call) {
  const auto began = Clock::now();
  records_.began();
  Told told(records_.metrics(), record);
  auto in_scope = [&](Scope& scope) -> asio::awaitable<void> {
    const auto place = under_way_.insert(under_way_.end(), &scope);
    auto watch = [&]() -> asio::awaitable<void> {
      co_await client.http().gone();
      scope.cancel(GatewayStop::client_gone);
    };
    scope.spawn(std::move(watch));
    RequestOptions options;
    options.with_parent(scope).with_observer(told).with_on_partial(OnPartial::resume);
    std::exception_ptr thrown;
    try {
      co_await call(scope, options, record);
    } catch (...) {
      thrown = std::current_exception();
    }
    under_way_.erase(place);
    scope.cancel(StopReason::lost);  // the watch
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  };
  std::exception_ptr other;
  try {
    co_await with_scope(std::move(in_scope));
  } catch (const boost::system::system_error& stopped) {
    record.broke = true;
    client.http().abort();
    if (stopped.code() != GatewayStop::client_gone && stopped.code() != StopReason::shutdown) {
      other = std::current_exception();
    }
  } catch (const std::bad_alloc&) {
    record.broke = true;
    record.report.code = LocalFault::memory;
    other = std::current_exception();
  } catch (...) {  // a bug: the call is at its end all the same, and has told nobody
    record.broke = true;
    record.report.code = FailoverReason::unknown;
    other = std::current_exception();
  }
  record.status = client.status();
  record.took = Clock::now() - began;
  records_.ended(std::move(record));
  if (other) {
    std::rethrow_exception(other);
  }
}

}  // namespace understudy::gateway::detail
