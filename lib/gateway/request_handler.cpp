#include "request_handler.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <new>
#include <optional>
#include <random>
#include <utility>

#include "error_answer.hpp"
#include "forwarded_answer.hpp"
#include "listings.hpp"
#include "llm/made_up_id.hpp"
#include "net/content_coding.hpp"
#include "refused_request.hpp"
#include "request_body.hpp"
#include "session_identity.hpp"
#include "streamed_answer.hpp"
#include "text/ascii.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::gateway::detail {
namespace {

/// Request::betas, from the client's headers.
std::string betas_of(const HttpHead& head) {
  std::string betas;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    if (const auto [name, value] = head.headers[i]; has_token(name, "anthropic-beta")) {
      betas.append(betas.empty() ? "" : ",").append(value);
    }
  }
  return betas;
}

/// Request::client_headers.
llm::HeaderList headers_of(const HttpHead& head, const llm::Catalog& catalog) {
  llm::HeaderList list;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    const auto [spelled, value] = head.headers[i];
    auto name = text::in_lower_case(spelled);
    if (catalog.takes_header(name)) {
      list.emplace_back(std::move(name), value);
    }
  }
  return list;
}

std::string query_of(const std::string& target) {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string() : target.substr(mark + 1);
}

/// Whether the client names itself so, in `originator` or `user-agent`: `codex_cli_rs`, `codex_exec/0.171.0`.
bool is_codex(const HttpHead& head) {
  constexpr std::string_view name = "codex";
  return head.headers.find("originator").value_or("").starts_with(name) ||
         head.headers.find("user-agent").value_or("").starts_with(name);
}

bool carries(const Config& config) {
  return config.reasoning.carry == ReasoningConfig::Carry::client;
}

HttpFields content(std::string_view type) {
  HttpFields fields;
  fields.add("content-type", type);
  return fields;
}

asio::awaitable<void> send(ClientExchange& client, const ErrorAnswer& answer) {
  co_await client.respond(answer.status, answer.headers, answer.body);
}

/// The answer of a member, or the error of a call that no member answered.
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

/// A WebSocket's place in a list.
class Listed {
 public:
  Listed(std::list<WebSocketSession*>& list, WebSocketSession& socket)
      : list_(list), place_(list.insert(list.end(), &socket)) {}
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { list_.erase(place_); }

 private:
  std::list<WebSocketSession*>& list_;
  std::list<WebSocketSession*>::iterator place_;
};

}  // namespace

RequestHandler::RequestHandler(const Config& config, Client& client, ClientState& state,
                               Records& records)
    : config_(config),
      client_(client),
      state_(state),
      records_(records),
      admission_(config.server),
      calls_(records),
      first_id_(std::uint64_t{std::random_device()()} << 32U) {}

std::string RequestHandler::next_id() {
  std::array<char, 32> text{};
  const unsigned long long number = first_id_ + ++ids_;
  std::snprintf(text.data(), text.size(), "req_%016llx", number);
  return text.data();
}

asio::awaitable<void> RequestHandler::answer(HttpExchange& http) {
  using Kind = Resource::Kind;
  const auto resource = resource_at(http.request(), config_.server.forward);
  ClientExchange client(http, resource.protocol, next_id());
  if (resource.kind == Kind::health) {
    co_await health(client, resource.path);
    co_return;
  }
  const auto& head = client.request();
  const auto reader = admission_.reader(head);
  if (reader) {
    client.readable_by(*reader);
  }
  if (reader && head.method == "OPTIONS" && head.headers.find("access-control-request-method")) {
    co_await client.respond(200, preflight_answer(head), "");
  } else if (const auto rejected = admission_.rejected(head, resource)) {
    co_await send(client, *rejected);
  } else if (resource.kind == Kind::listing) {
    co_await listing(client, resource.path);
  } else if (asks_for_websocket(head)) {
    co_await converse(client);
  } else {
    bool lacking = false;
    try {
      co_await receive(client, resource);
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

asio::awaitable<void> RequestHandler::health(ClientExchange& client, std::string_view path) {
  const bool well = path != "/readyz" || !draining_;
  const std::string_view body = well ? "ok\n" : "draining\n";
  const auto status = well ? 200U : 503U;
  co_await client.respond(status, content("text/plain; charset=utf-8"), body);
}

asio::awaitable<void> RequestHandler::listing(ClientExchange& client, std::string_view path) {
  std::optional<std::string> body;
  std::string missing;
  std::string_view type = "application/json";
  std::string_view code;
  if (path == "/status") {
    body = status(config_, state_, records_, draining_);
  } else if (path == "/metrics") {
    auto exposition = records_.exposition(state_);
    if (exposition.has_value()) {
      body = std::move(*exposition);
    } else {
      missing = exposition.error().why;
    }
    type = "text/plain; version=0.0.4; charset=utf-8";
  } else if (path == "/v1/models") {
    body = models_list(config_, client.protocol(), client.request());
  } else {
    const auto name = path.substr(one_model.size());
    body = model_entry(config_, client.protocol(), name);
    missing = "no model " + std::string(name);
    code = "model_not_found";
  }
  if (body) {
    co_await client.respond(200, content(type), *body);
    co_return;
  }
  const auto refused = refusal(404, missing, client.protocol(), code);
  co_await send(client, refused);
}

void RequestHandler::drain() {
  draining_ = true;
  for (auto* const socket : sockets_) {
    socket->drain();
  }
}

/// The responses of a WebSocket, one after the other.
asio::awaitable<void> RequestHandler::converse(ClientExchange& client) {
  WebSocketSession socket(client.http(), config_.server.max_body, config_.server.idle);
  WebSocketTurns turns(config_.server.max_body);
  socket.on_event = [&](std::string_view json) { return turns.event(json); };
  const Listed listed(sockets_, socket);
  auto answer = [&](std::string message) -> asio::awaitable<void> {
    ClientExchange turn(client.http(), client.protocol(), next_id(), &socket);
    co_await answer_turn(turn, socket, turns, std::move(message));
  };
  co_await socket.run(std::move(answer));
}

asio::awaitable<void> RequestHandler::answer_turn(ClientExchange& client, WebSocketSession& socket,
                                                  WebSocketTurns& turns, std::string message) {
  if (socket.is_old()) {
    const auto old = refusal(400, "connections last 60 minutes; open a new one", client.protocol(),
                             "websocket_connection_limit_reached");
    co_await send(client, old);
    co_return;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  auto turn = turns.read(message, llm::detail::made_up_id("resp_"), seconds);
  message = std::string();
  if (auto* const ask_it = std::get_if<WebSocketTurns::Ask>(&turn)) {
    co_await ask(client, "/v1/responses", std::move(ask_it->body));
  } else if (const auto* const reply = std::get_if<WebSocketTurns::Reply>(&turn)) {
    for (const auto& event : reply->events) {
      co_await socket.send_text(event);
    }
  } else {
    const auto& wrong = std::get<WebSocketTurns::Refusal>(turn);
    const auto refused = refusal(wrong.status, wrong.message, client.protocol(), wrong.code);
    co_await send(client, refused);
  }
}

asio::awaitable<void> RequestHandler::receive(ClientExchange& client, const Resource& resource) {
  auto body = co_await read_body(client.http(), config_.server.max_body);
  const auto& encoded = client.request().headers;
  if (body.has_value() && body->empty() && encoded.find("content-encoding")) {
    const auto refused = refusal(415,
                                 "the body is empty once its `content-encoding: " +
                                     understudy::detail::content_encoding(encoded) +
                                     "` is undone; send it uncompressed",
                                 client.protocol(), "unsupported_content_encoding");
    co_await send(client, refused);
  } else if (body.has_value()) {
    if (resource.kind == Resource::Kind::forwarded) {
      co_await forward(client, resource, std::move(*body));
    } else {
      co_await ask(client, resource.path, std::move(*body));
    }
  } else if (body.error().code == NetFault::body_too_large) {
    const auto refused =
        refusal(413, "the body is larger than `server.max_body`, which counts after decompression",
                client.protocol());
    co_await send(client, refused);
  } else if (body.error().code.category() == net_category() &&
             body.error().code != NetFault::truncated) {
    const auto refused = refusal(400, to_string(body.error()), client.protocol());
    co_await send(client, refused);
  } else {
    client.http().abort();
  }
}

asio::awaitable<void> RequestHandler::ask(ClientExchange& client, std::string_view path,
                                          std::string body) {
  auto request = llm::codec_for(client.protocol()).read_request(body);
  if (request.has_error()) {
    const auto& fault = request.error();
    const auto where = fault.parameter.empty() ? "" : "`" + fault.parameter + "`: ";
    const auto refused = refusal(400, where + fault.message, client.protocol());
    co_await send(client, refused);
    co_return;
  }
  request->model = listed_model(config_, std::move(request->model));
  if (const auto refused = refused_request(config_, *request)) {
    co_await send(client, *refused);
    co_return;
  }
  request->betas = betas_of(client.request());
  request->client_headers = headers_of(client.request(), *state_.catalog());
  request->from_codex = is_codex(client.request());
  const auto session = session_identity(client.request(), *request);
  CallRecord record(client.id(), std::string(path), client.protocol());
  record.model = request->model;
  record.streamed = request->stream;
  if (records_.wants_prompts()) {
    record.prompt = std::move(body);
  }
  body = std::string();
  Calls::Call call = [&](Scope& scope, RequestOptions& options,
                         CallRecord& of) -> asio::awaitable<void> {
    options.with_session(session);
    options.client_credential = admission_.credential(client.request());
    if (of.streamed) {
      StreamedAnswer streamed(client, config_, of);
      co_await streamed.run(client_, scope, options, std::move(*request));
      of.broke = streamed.broke();
      of.longest_gap = streamed.longest_gap();
    } else {
      co_await whole(client, options, std::move(*request));
    }
  };
  co_await calls_.run(client, std::move(record), std::move(call));
}

asio::awaitable<void> RequestHandler::whole(ClientExchange& client, RequestOptions options,
                                            llm::Request request) {
  llm::Request asked(request.model);  // what the answer repeats
  asked.origin = request.origin;
  asked.body = request.body;
  options.with_provider_json(client.protocol());
  auto outcome = co_await client_.complete(std::move(request), options);
  Result<std::string> body = std::string();
  const bool as_it_is = outcome.result && !outcome.result->provider_json.empty() &&
                        (carries(config_) || outcome.result->origin.home);
  if (as_it_is) {
    *body = std::move(outcome.result->provider_json);
  } else if (outcome.result) {
    llm::carry_seals(*outcome.result, asked, carries(config_));
    llm::codec_for(client.protocol()).write_answer(*outcome.result, asked, *body);
  } else {
    body = outcome.result.error();
  }
  co_await send(client, body, outcome.report);
}

asio::awaitable<void> RequestHandler::forward(ClientExchange& client, const Resource& resource,
                                              std::string body) {
  using Model = Forwarding::Model;
  const auto& rule = *resource.forwarding;
  const auto& head = client.request();
  const auto type = std::string(head.headers.find("content-type").value_or("application/json"));
  const bool is_json = type.starts_with("application/json");
  auto model = is_json ? llm::member_text(body, "model") : std::nullopt;
  if (is_json && !model && rule.model == Model::members) {
    const auto refused =
        refusal(400, "the body must be a JSON object with a `model`", client.protocol());
    co_await send(client, refused);
    co_return;
  }
  CallRecord record(client.id(), resource.path, client.protocol());
  if (auto listed = listed_model(config_, model.value_or("")); model && listed != *model) {
    model = std::move(listed);
    const text::JsonEdits edits{text::JsonEdit::set({"model"}, json::quoted(*model))};
    body = text::edit_json(body, edits).value_or(std::move(body));
  }
  record.model = model.value_or("");
  if (records_.wants_prompts() && is_json) {
    record.prompt = body;
  }
  llm::ForwardedRequest request(head.method, std::string(resource.below()), std::move(body));
  request.with_own_model(rule.model != Model::members)
      .with_kept_state(rule.kept_state)
      .with_purpose(purpose_of(resource.below()))
      .with_content_type(type)
      .with_accept(std::string(head.headers.find("accept").value_or("application/json")))
      .with_betas(betas_of(head));
  if (rule.kept_state) {
    request.with_query(query_of(head.target));
  }
  request.client_headers = headers_of(head, *state_.catalog());
  const std::vector<llm::Protocol> protocols(rule.protocols.begin(), rule.protocols.end());
  Calls::Call call = [&](Scope&, RequestOptions& options, CallRecord& of) -> asio::awaitable<void> {
    options.client_credential = admission_.credential(client.request());
    auto outcome = co_await client_.forward(std::move(request), protocols, options);
    const bool unable = outcome.report.attempts.empty() && outcome.report.skipped.empty();
    if (unable) {
      const auto refused = refusal(
          404, "no member of the chain for this model speaks a protocol that has " + resource.path,
          client.protocol());
      co_await send(client, refused);
    } else if (outcome.result.has_error()) {
      auto failed = error_answer(outcome.result.error(), client.protocol());
      add_report(failed.headers, outcome.report);
      co_await send(client, failed);
    } else {
      of.broke = co_await pass_on(client, *outcome.result, outcome.report);
    }
  };
  co_await calls_.run(client, std::move(record), std::move(call));
}

}  // namespace understudy::gateway::detail
