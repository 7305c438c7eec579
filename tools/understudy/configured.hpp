/// What every command that asks providers begins with: a configuration, and the credentials that it names.
#pragma once

#include <boost/system/result.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "understudy/client/client_state.hpp"
#include "understudy/client/config.hpp"

namespace understudy::tool {

class Configured {
 public:
  Configured(Config c, std::shared_ptr<ClientState> s)
      : config(std::move(c)), state(std::move(s)) {}

  Config config;
  std::shared_ptr<ClientState> state;
};

/// Errors: all that is wrong with the credentials that it names.
inline ClientState::Made state_for(const Config& config) {
  // Who takes so many calls passes on as many, and keeps connections for them as nginx is told to, usually.
  HttpClientOptions http;
  http.with_max_connections(config.server.max_connections).with_max_idle(256);
  return ClientState::make(config, ClientStateOptions().with_http(std::move(http)));
}

/// Errors: all that is wrong with the file; or, if nothing is, with what it names.
inline boost::system::result<Configured, ConfigErrors> configured(const std::string& path) {
  auto config = load_config(path);
  if (config.has_error()) {
    return config.error();
  }
  auto state = state_for(*config);
  if (state.has_error()) {
    return state.error();
  }
  (*state)->on_warning([](std::string_view text) { std::cerr << "understudy: " << text << "\n"; });
  return Configured(std::move(*config), std::move(*state));
}

}  // namespace understudy::tool
