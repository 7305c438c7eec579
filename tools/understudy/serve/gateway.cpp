#include "gateway.hpp"

#include <algorithm>
#include <set>

#include "error_answer.hpp"
#include "streamed_answer.hpp"
#include "understudy/json_writer.hpp"
#include "understudy/llm/codec.hpp"

namespace understudy::tool {
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

HttpFields json_fields() {
  HttpFields fields;
  fields.add("content-type", "application/json");
  return fields;
}

asio::awaitable<void> send(HttpExchange& exchange, const ErrorAnswer& answer) {
  co_await exchange.respond(answer.status, answer.headers, answer.body);
}

std::string_view path_of(const HttpHead& head) {
  return std::string_view(head.target).substr(0, head.target.find('?'));
}

std::optional<Protocol> protocol_at(std::string_view path) {
  if (path == "/v1/chat/completions") {
    return Protocol::openai_chat;
  }
  if (path == "/v1/messages") {
    return Protocol::anthropic_messages;
  }
  return path == "/v1/responses" ? std::optional(Protocol::openai_responses) : std::nullopt;
}

/// Whose words an error is to be in where the path does not say it: Anthropic's clients name a version.
Protocol protocol_of(const HttpHead& head) {
  const auto at_path = protocol_at(path_of(head));
  const auto other =
      head.headers.find("anthropic-version") ? Protocol::anthropic_messages : Protocol::openai_chat;
  return at_path.value_or(other);
}

/// The names that a client may ask for: those of the routes, and the main chain's first member's.
std::set<std::string> models_of(const Config& config) {
  std::set<std::string> names;
  for (const auto& route : config.routes) {
    names.insert(route.model);
  }
  if (!config.main.chain.empty()) {
    names.insert(config.main.chain.front().model);
  }
  return names;
}

void write_model(JsonWriter& json, std::string_view name, Protocol protocol) {
  json.begin_object().member("id", name);
  if (protocol == Protocol::anthropic_messages) {
    json.member("type", "model")
        .member("display_name", name)
        .member("created_at", "1970-01-01T00:00:00Z");
  } else {
    json.member("object", "model").member("created", 0).member("owned_by", "understudy");
  }
  json.end_object();
}

}  // namespace

const boost::system::error_category& gateway_category() noexcept {
  static const GatewayCategory category;
  return category;
}

Gateway::Gateway(const Config& config, Client& client, ClientState& state)
    : config_(config), client_(client), state_(state) {}

bool Gateway::allowed(const HttpHead& head) const {
  if (config_.server.keys.empty()) {
    return true;
  }
  const auto bearer = head.headers.find("authorization").value_or("");
  constexpr std::string_view scheme = "Bearer ";
  const Secret given(bearer.starts_with(scheme) ? bearer.substr(scheme.size())
                                                : head.headers.find("x-api-key").value_or(""));
  bool found = false;
  for (const auto& key : config_.server.keys) {  // all of them: the time must not tell which
    found = (key == given) || found;
  }
  return found;
}

asio::awaitable<void> Gateway::answer(HttpExchange& exchange) {
  const auto& head = exchange.request();
  const auto path = path_of(head);
  const auto protocol = protocol_of(head);
  if (path == "/healthz" || path == "/readyz") {
    const bool well = path == "/healthz" || !draining_;
    HttpFields text;
    text.add("content-type", "text/plain");
    const std::string_view body = well ? "ok\n" : "draining\n";
    co_await exchange.respond(well ? 200 : 503, text, body);
    co_return;
  }
  if (!allowed(head)) {
    const auto refused = refusal(401, "no such key; `server.keys` has those that are taken",
                                 protocol, "invalid_api_key");
    co_await send(exchange, refused);
    co_return;
  }
  const auto asked = protocol_at(path);
  const std::string_view method = asked ? "POST" : "GET";
  const bool model = path.starts_with("/v1/models/");
  if (!asked && !model && path != "/v1/models" && path != "/status") {
    const auto refused = refusal(404, "there is nothing at " + std::string(path), protocol);
    co_await send(exchange, refused);
    co_return;
  }
  if (head.method != method) {
    auto refused = refusal(405, "use " + std::string(method), protocol);
    refused.headers.add("allow", method);
    co_await send(exchange, refused);
    co_return;
  }
  if (asked) {
    co_await ask(exchange, *asked);
    co_return;
  }
  const auto fields = json_fields();
  if (path == "/status") {
    const auto body = status();
    co_await exchange.respond(200, fields, body);
    co_return;
  }
  const auto name = path.substr(std::min(path.size(), std::string_view("/v1/models/").size()));
  const auto known = models_of(config_);
  if (!model) {
    const auto body = models(protocol);
    co_await exchange.respond(200, fields, body);
  } else if (known.count(std::string(name)) != 0) {
    std::string body;
    JsonWriter json(body);
    write_model(json, name, protocol);
    co_await exchange.respond(200, fields, body);
  } else {
    const auto refused = refusal(404, "no model " + std::string(name), protocol, "model_not_found");
    co_await send(exchange, refused);
  }
}

asio::awaitable<void> Gateway::ask(HttpExchange& exchange, Protocol protocol) {
  const auto body = co_await exchange.read_all();
  if (body.has_error()) {
    const bool too_large = body.error().code == NetFault::body_too_large;
    if (too_large) {
      const auto refused = refusal(413, "the body is larger than `server.max_body`", protocol);
      co_await send(exchange, refused);
    } else {
      exchange.abort();
    }
    co_return;
  }
  auto request = codec_for(protocol).read_request(*body);
  if (request.has_error()) {
    const auto& fault = request.error();
    const auto where = fault.parameter.empty() ? "" : "`" + fault.parameter + "`: ";
    const auto refused = refusal(400, where + fault.message, protocol);
    co_await send(exchange, refused);
    co_return;
  }
  auto call = [&](Scope& scope) -> asio::awaitable<void> {
    auto watch = [&]() -> asio::awaitable<void> {
      co_await exchange.gone();
      scope.cancel(GatewayStop::client_gone);
    };
    scope.spawn(std::move(watch));
    if (request->stream) {
      StreamedAnswer streamed(exchange, config_.server, protocol);
      co_await streamed.run(client_, scope, std::move(*request));
    } else {
      co_await whole(exchange, scope, protocol, std::move(*request));
    }
    scope.cancel(StopReason::lost);  // the watch
  };
  try {
    co_await with_scope(std::move(call));
  } catch (const boost::system::system_error& stopped) {
    exchange.abort();
    if (stopped.code() != GatewayStop::client_gone) {
      throw;
    }
  }
}

asio::awaitable<void> Gateway::whole(HttpExchange& exchange, Scope& scope, Protocol protocol,
                                     Request request) {
  RequestOptions options;
  options.with_parent(scope);
  const auto outcome = co_await client_.complete(std::move(request), options);
  if (!outcome.result) {
    auto failed = error_answer(outcome.result.error(), protocol);
    add_report(failed.headers, outcome.report);
    co_await send(exchange, failed);
    co_return;
  }
  auto fields = json_fields();
  add_report(fields, outcome.report);
  std::string body;
  codec_for(protocol).write_answer(*outcome.result, body);
  co_await exchange.respond(200, fields, body);
}

std::string Gateway::models(Protocol protocol) const {
  const auto known = models_of(config_);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (protocol != Protocol::anthropic_messages) {
    json.member("object", "list");
  }
  json.key("data").begin_array();
  for (const auto& name : known) {
    write_model(json, name, protocol);
  }
  json.end_array();
  if (protocol == Protocol::anthropic_messages) {
    json.member("has_more", false);
  }
  json.end_object();
  return out;
}

std::string Gateway::status() const {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("marks").begin_array();
  for (const auto& mark : state_.state().health().marks(Clock::now())) {
    json.begin_object()
        .member("key", mark.key)
        .member("reason", to_string(mark.reason))
        .member("rests_ms", Milliseconds(mark.rests).count())
        .member("failed_probes", mark.failed_probes)
        .member("probing", mark.probing)
        .member("dead", mark.dead)
        .end_object();
  }
  json.end_array().member("draining", draining_).end_object();
  return out;
}

}  // namespace understudy::tool
