/// Providers that need no more than their name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/client/config.hpp"

namespace understudy::detail {

struct Preset {
  std::string_view name;
  llm::Protocol protocol;
  std::string_view base_url;  ///< empty: it must be written
  llm::Authorization authorization;
  std::string_view env;  ///< of the credential; empty: none is sent
};

/// Null if there is none of that name.
const Preset* preset_of(std::string_view name) noexcept;

/// The provider as the preset has it. `base_url_text` is empty, and `base_url` nowhere, where it must be
/// written.
ProviderConfig provider_of(const Preset& preset);

}  // namespace understudy::detail
