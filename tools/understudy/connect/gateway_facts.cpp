#include "gateway_facts.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <set>
#include <utility>

#include "understudy/net/url.hpp"

namespace understudy::tool {
namespace {

/// As a client on this machine opens it.
std::string reachable(const std::string& host) {
  boost::system::error_code unparsed;
  const auto address = boost::asio::ip::make_address(host, unparsed);
  return !unparsed && address.is_unspecified() ? "127.0.0.1" : host;
}

SourceResult<std::string> address_of(const Config& config) {
  const auto& server = config.server;
  if (server.port == 0) {
    return source_error(
        config.file, {}, "the port of `server.listen` is any free one",
        "give it a port, or pass --url with the address that `understudy serve` prints");
  }
  const auto scheme = server.tls ? Scheme::https : Scheme::http;
  return source_text((server.tls ? "https://" : "http://") +
                     host_and_port(Endpoint(scheme, reachable(server.host), server.port)));
}

SourceResult<std::string> address_of(std::string_view url) {
  const auto parsed = parse_url(url);
  const bool plain = !parsed.has_error() && parsed->user_info.empty() &&
                     parsed->path.find('?') == std::string::npos &&
                     url.find_first_of("\"'\\#$`") == std::string_view::npos;
  if (!plain) {
    return source_error("--url", {}, "is not the address of a gateway", "write http://HOST:PORT");
  }
  const auto cut = [&](std::string_view end) {
    url.remove_suffix(url.ends_with(end) ? end.size() : 0);
  };
  cut("/");
  cut("/v1");
  cut("/");
  return source_text(std::string(url));
}

Window window_of(const std::vector<MemberConfig>& chain, const llm::ModelProfiles& profiles) {
  Window window;
  for (const auto& member : chain) {
    const auto tokens = profiles.find(member.provider, member.model).context_window;
    if (!tokens) {
      window.unknown.push_back(member.provider + "/" + member.model);
    } else {
      window.tokens = std::min(window.tokens.value_or(*tokens), *tokens);
    }
  }
  return window.unknown.empty() ? window : Window{std::nullopt, std::move(window.unknown)};
}

std::vector<ServedModel> models_of(const Config& config, const llm::ModelProfiles& profiles) {
  std::vector<ServedModel> models;
  std::set<std::string_view> names;
  if (!config.main.chain.empty()) {
    const auto& chain = config.main.chain;
    models.push_back({chain.front().model, true, window_of(chain, profiles)});
  }
  for (const auto& route : config.routes) {
    // A route of the same name answers in place of the main chain, which still answers for all others.
    if (names.insert(route.model).second) {
      models.push_back({route.model, false, window_of(route.chain, profiles)});
    }
  }
  return models;
}

llm::Protocol protocol_of(const Config& config) {
  const auto& route =
      config.main.chain.empty() && !config.routes.empty() ? config.routes.front() : config.main;
  const auto found = route.chain.empty() ? config.providers.end()
                                         : config.providers.find(route.chain.front().provider);
  return found == config.providers.end() ? llm::Protocol::openai_chat : found->second.protocol;
}

}  // namespace

Window GatewayFacts::window_of_models(std::string_view prefix) const {
  Window all;
  for (const auto& model : models) {
    if (!model.main && !model.name.starts_with(prefix)) {
      continue;
    }
    if (const auto tokens = model.window.tokens) {
      all.tokens = std::min(all.tokens.value_or(*tokens), *tokens);
    }
    for (const auto& member : model.window.unknown) {
      if (std::find(all.unknown.begin(), all.unknown.end(), member) == all.unknown.end()) {
        all.unknown.push_back(member);
      }
    }
  }
  return all.unknown.empty() ? all : Window{std::nullopt, std::move(all.unknown)};
}

const ServedModel* GatewayFacts::first_model() const {
  return models.empty() ? nullptr : &models.front();
}

SourceResult<GatewayFacts> gateway_facts(const Config& config, const llm::ModelProfiles& profiles,
                                         std::string_view url) {
  auto address = url.empty() ? address_of(config) : address_of(url);
  if (address.has_error()) {
    return address.error();
  }
  GatewayFacts facts;
  facts.url = std::move(*address);
  facts.keys = config.server.keys.empty() ? GatewayFacts::Keys::none : GatewayFacts::Keys::needed;
  facts.key = config.server.keys.empty() ? Secret() : config.server.keys.front();
  facts.models = models_of(config, profiles);
  facts.protocol = protocol_of(config);
  return facts;
}

SourceResult<GatewayFacts> gateway_facts(std::string_view url) {
  auto address = address_of(url);
  if (address.has_error()) {
    return address.error();
  }
  GatewayFacts facts;
  facts.url = std::move(*address);
  return facts;
}

}  // namespace understudy::tool
