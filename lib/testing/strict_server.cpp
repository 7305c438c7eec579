#include "understudy/testing/strict_server.hpp"

#include <algorithm>
#include <string_view>

#include "understudy/text/json_writer.hpp"

namespace understudy::testing {
namespace {

constexpr std::size_t most_kept_bytes = std::size_t{64} * 1024 * 1024;

std::string_view path_of_target(std::string_view target) {
  return target.substr(0, target.find('?'));
}

/// Whether requests with this target are for the back end's own path. Vertex AI's contains the model's name.
bool is_own_path(const StrictBackend& backend, std::string_view target) {
  const auto path = path_of_target(target);
  return backend.path().starts_with("/MODEL")
             ? path.ends_with(":streamRawPredict") || path.ends_with(":rawPredict")
             : path.ends_with(backend.path());
}

Reply reply_with(const Refusal& refusal) {
  auto reply = Reply::page(refusal.status, refusal.content_type, refusal.body);
  for (std::size_t i = 0; i < refusal.headers.size(); ++i) {
    const auto [name, value] = refusal.headers[i];
    reply.with_header(name, value);
  }
  return reply;
}

std::string models_of(const StrictBackend& backend) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("object", "list").key("data").begin_array();
  json.begin_object().member("id", backend.default_model()).member("object", "model");
  json.member("type", "model").member("created", 1790000000).end_object();
  json.end_array().member("has_more", false).end_object();
  return out;
}

}  // namespace

StrictServer::StrictServer(const StrictBackend& backend, StrictServerOptions options)
    : backend_(backend), options_(std::move(options)) {
  server_.forget_bodies().reply_by([this](const SeenRequest& request) { return reply(request); });
}

Reply StrictServer::reply(const SeenRequest& request) {
  StrictExchange exchange;
  exchange.head = request.head;
  exchange.body = request.body;
  auto reply = reply_to(request, exchange);
  if (options_.edit) {
    options_.edit(exchange, reply);
  }
  kept_bytes_ += exchange.body.size();
  exchanges_.push_back(std::move(exchange));
  while (exchanges_.size() > 1 &&
         (exchanges_.size() > options_.max_exchanges || kept_bytes_ > most_kept_bytes)) {
    kept_bytes_ -= exchanges_.front().body.size();
    exchanges_.pop_front();
  }
  return reply;
}

Reply StrictServer::reply_to(const SeenRequest& request, StrictExchange& exchange) {
  const auto path = path_of_target(request.head.target);
  const auto& method = request.head.method;
  if (method == "POST" && is_own_path(backend_, request.head.target)) {
    exchange.refusal = judge(request, exchange);
    if (exchange.refusal) {
      return reply_with(*exchange.refusal);
    }
    options_.answer.number = ++number_;
    auto answer =
        backend_.answer(request.head.headers, request.body, options_.answer, request.head.target);
    return answer.streamed ? Reply::stream(answer.content_type, std::move(answer.parts))
                           : Reply::page(200, answer.content_type, answer.body());
  }
  if (method == "GET" && request.head.headers.find("upgrade")) {
    return Reply::page(426, "text/plain", "Upgrade Required");
  }
  if (method == "GET" && path.ends_with("/models")) {
    return Reply::page(200, "application/json", models_of(backend_));
  }
  if ((method == "HEAD" || method == "GET") && path == "/") {
    return Reply::page(200, "text/plain", "");
  }
  return reply_with(backend_.refuse(404, "Not found: " + std::string(path)));
}

std::optional<Refusal> StrictServer::judge(const SeenRequest& request,
                                           StrictExchange& exchange) const {
  if (options_.needs_credentials) {
    if (auto refusal = backend_.authorize(request.head.headers)) {
      return refusal;
    }
  }
  auto verdict = backend_.examine(request.head.headers, request.body, options_.strictness,
                                  request.head.target);
  exchange.dropped = std::move(verdict.dropped);
  std::optional<Refusal> refusal;
  const auto& ignored = options_.ignored;
  for (auto& broken : verdict.broken) {
    const bool enforced =
        (broken.documented || options_.strictness == Strictness::everything) &&
        std::find(ignored.begin(), ignored.end(), broken.rule_id) == ignored.end();
    if (enforced && !refusal) {
      refusal = std::move(broken);
    } else {
      exchange.warnings.push_back(std::move(broken));
    }
  }
  return refusal;
}

}  // namespace understudy::testing
