/// Providers that need no section of their own: their protocol, base URL and the variable that holds their key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/provider_config.hpp"

namespace understudy::config {

struct Preset {
  std::string_view name;
  llm::Protocol protocol;
  std::string_view base_url;  ///< empty: it must be written
  llm::Authorization authorization;
  std::string_view env;  ///< the variable that holds the credential; empty: none is sent
};

/// The address of a preset whose address has a part of the user's own.
std::string example_url(std::string_view preset, llm::Protocol protocol);

/// Null if there is none of that name.
const Preset* preset_of(std::string_view name) noexcept;

/// The provider as the preset describes it. If the preset has no base URL, `base_url_text` is empty and `base_url` is
/// a host that does not exist.
ProviderConfig provider_of(const Preset& preset);

}  // namespace understudy::config
