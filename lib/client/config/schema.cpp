#include "client/config/sections.hpp"

namespace understudy::config {

const Schema& schema() {
  static const Schema sections({
      first_member_keys().section(),
      fallback_member_keys().section(),
      fallback_keys().section(),
      stall_keys().section(),
      retry_keys().section(),
      credentials_keys().section(),
      provider_section(),
      credential_source_section(),
      oauth_section(),
      model_section(),
      route_keys().section(),
      chain_member_keys().section(),
      server_keys().section(),
      tls_keys().section(),
      log_keys().section(),
      catalog_keys().section(),
      reasoning_keys().section(),
  });
  return sections;
}

}  // namespace understudy::config
