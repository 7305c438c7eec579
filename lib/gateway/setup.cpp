#include "understudy/gateway/setup.hpp"

#include <string_view>
#include <utility>

#include "error_answer.hpp"

namespace understudy::gateway {
namespace {

/// Limits as configured, and the protocol's 400 for what is not HTTP.
HttpServerOptions limits_of(const ServerConfig& config) {
  HttpServerOptions options;
  options.with_max_body(config.max_body)
      .with_max_connections(config.max_connections)
      .with_idle(config.idle)
      .with_refusal([](unsigned status, std::string_view what, HttpFields& headers) {
        auto refused = detail::refusal(status, what, llm::Protocol::openai_chat);
        headers = std::move(refused.headers);
        return std::move(refused.body);
      });
  return options;
}

}  // namespace

Setup::Setup(Config c, HttpServerOptions h)
    : config(std::make_shared<const Config>(std::move(c))), http(std::move(h)) {}

boost::system::result<Setup, ConfigErrors> Setup::make(Config config) {
  auto http = limits_of(config.server);
  if (const auto& tls = config.server.tls) {
    auto context = TlsContext::server(tls->certificate_file, tls->key_file);
    if (context.has_error()) {
      ConfigErrors errors{config.file, {}};
      errors.errors.emplace_back(ConfigPlace(), "server.tls: " + to_string(context.error()),
                                 "name PEM files: the certificate with its chain, and its key");
      return errors;
    }
    http.with_tls(std::move(*context));
  }
  return Setup(std::move(config), std::move(http));
}

}  // namespace understudy::gateway
